"""Progress of long work, reported by a callback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

#: Called with a stage's name, the units done and the units in all; the last call of a stage has both equal.
Progress = Callable[[str, int, int], None]


@runtime_checkable
class ShowsRemaining(Protocol):
    """A callback that is also told how long the whole run still takes."""

    def remaining(self, seconds: float) -> None:
        """Take the expected time to the end of the run, s."""

    def slowed(self, reason: str) -> None:
        """Take a sentence that names what slows the run; it comes once."""


def silent(stage: str, done: int, total: int) -> None:
    """Report nothing."""
