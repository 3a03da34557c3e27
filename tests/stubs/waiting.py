"""Waiting for what another thread or program brings about."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(check: Callable[[], T], timeout: float = 60) -> T:
    """What `check` returns once it is true; how long it may take says how busy the machine is, and is no claim."""
    until = time.monotonic() + timeout
    while not (found := check()):
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)
    return found
