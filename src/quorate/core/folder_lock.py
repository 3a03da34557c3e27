"""A lock of a folder against other processes and threads that write into it."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quorate.core.errors import DataError
from quorate.core.files import write_refusal

# Longest wait for another writer, and time between attempts, s. A writer holds the lock for one file, well under 1 s.
_WAIT_S, _PAUSE_S = 300.0, 0.02

_held = threading.local()


@contextmanager
def folder_lock(folder: Path, *, wait_s: float = _WAIT_S, other: str = "download or import") -> Iterator[None]:
    """Keep others out of a folder while a file in it is read, changed and replaced.

    The lock is the kernel's, on the folder itself: it leaves no file behind and ends with the process, killed or not.
    Only those who take it are kept out; readers need not, since files are replaced atomically. A thread that holds the
    lock may take it again.

    Args:
        folder: created if missing.
        wait_s: longest wait for another holder.
        other: what the other holder does, for the error.

    Raises:
        DataError: the folder cannot be created or locked, or another process holds the lock for too long.
    """
    attempted = f"write into the folder {folder}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise write_refusal(folder, error) from error
    try:
        status = os.fstat(descriptor)
        key = (status.st_dev, status.st_ino)
        held: set[tuple[int, int]] = _held.__dict__.setdefault("keys", set())
        if key in held:
            yield
            return
        _take(descriptor, attempted, wait_s, other)
        held.add(key)
        try:
            yield
        finally:
            held.remove(key)
            # Explicitly: a child that was forked meanwhile may still have the descriptor.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def _take(descriptor: int, attempted: str, wait_s: float, other: str) -> None:
    until = time.monotonic() + wait_s
    while not _taken(descriptor, attempted):
        if time.monotonic() >= until:
            raise DataError(
                attempted,
                found="another process that is writing into it"
                + (f", after {wait_s:.0f} s of waiting" if wait_s else ""),
                expected="one writer at a time",
                remedy=f"Wait for the other {other}, or end it. Nothing was changed.",
            )
        time.sleep(_PAUSE_S)


def _taken(descriptor: int, attempted: str) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise DataError(
            attempted,
            found=f"a folder that cannot be locked: {error.strerror or error}",
            expected="a file system with locks",
            remedy="Choose a folder on a local disk.",
        ) from error
    return True
