"""Memory that the C library keeps after it was freed."""

from __future__ import annotations

# Larger than all arrays of a prediction, and below glibc's limit of 32 MiB.
_BLOCK = 16 * 2**20


def keep_freed_memory() -> None:
    """Let the C library keep freed memory of up to 32 MiB for the next call, instead of returning it to the system.

    glibc returns what is free at the end of the heap where it exceeds twice the largest block that it has ever freed
    (mallopt(3), M_MMAP_THRESHOLD). Without a large one, each prediction of a hundred markets takes 10 MiB anew by
    2,500 page faults. In a process that does nothing else, 17 ms of processor time became 12; benchmarks/live.py
    made 15 % more signals a second. With another C library nothing changes.
    """
    bytes(_BLOCK)  # its pages are never touched: it costs some microseconds
