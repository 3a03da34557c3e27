"""Days of outcomes: each label counts on the day on which it became known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quorate.core.clock import DAY_MS
from quorate.core.types import IntArray


@dataclass(frozen=True, slots=True)
class MaturedDays:
    """Whole UTC days, each with the labels that became known in it: a look at its end has read no later bar.

    Attributes:
        first: number of the first day since 1970.
        count: number of days.
    """

    first: int
    count: int

    @classmethod
    def between(cls, start: int, end: int) -> MaturedDays:
        """The whole days from one moment to another, ms."""
        first = -(-start // DAY_MS)
        return cls(first, max(0, end // DAY_MS - first))

    def number(self, known_at: IntArray) -> IntArray:
        """(n,) day of each label from 0, by the moment it is known; midnight belongs to the day that it ends."""
        return np.asarray((np.asarray(known_at, np.int64) - 1) // DAY_MS - self.first)

    def look_at(self, look: int, window: int) -> int:
        """Moment of a look, ms: the end of its window."""
        return (self.first + look + window) * DAY_MS
