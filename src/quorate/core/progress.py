"""Progress of long work, reported by a callback."""

from __future__ import annotations

from collections.abc import Callable

#: Called with a stage's name, the units done and the units in all; the last call of a stage has both equal.
Progress = Callable[[str, int, int], None]


def silent(stage: str, done: int, total: int) -> None:
    """Report nothing."""
