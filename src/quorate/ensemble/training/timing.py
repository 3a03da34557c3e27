"""Time and memory of the stages of a training."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stage:
    """Wall time of a stage in seconds, and the peak memory of the process at its end in MiB."""

    name: str
    seconds: float
    peak_mib: float


@contextmanager
def stage(name: str, stages: list[Stage]) -> Iterator[None]:
    """Append the time and memory of the block to `stages`."""
    began = time.perf_counter()
    yield
    # ru_maxrss is in KiB on Linux and in bytes on macOS.
    unit = 1024 if sys.platform != "darwin" else 1024**2
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    stages.append(Stage(name, time.perf_counter() - began, peak))
