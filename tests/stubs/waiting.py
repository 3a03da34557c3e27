"""Waiting for what another thread or program brings about."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(check: Callable[[], T], timeout: float = 20) -> T:
    """What `check` returns once it is true."""
    until = time.monotonic() + timeout
    while not (found := check()):
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)
    return found
