"""A bounded buffer of windows that were learnt from, which are learnt from again.

Windows of the newest bars alone would pull a network to the newest market; as many of an even sample of all earlier
ones hold against that. Reference: Vitter (1985), Random sampling with a reservoir, algorithm R; Rolnick and others
(2019), Experience replay for continual learning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from quorate.core.types import ActionArray, Float32Array
from quorate.models.input_checks import Matrix


@dataclass(frozen=True, slots=True, eq=False)
class ReplayBuffer:
    """An even sample of all windows that it was given.

    Attributes:
        X: (R, L, F) float32 windows.
        y: (R,) int8 labels.
        seen: windows that it was given.
        most: bound of R.
    """

    X: Float32Array
    y: ActionArray
    seen: int
    most: int

    @classmethod
    def empty(cls, most: int, window: int, columns: int) -> Self:
        """A buffer without windows.

        Args:
            most: bound of R, at least 0.
            window: L.
            columns: F.
        """
        return cls(np.empty((0, window, columns), np.float32), np.empty(0, np.int8), 0, most)

    def __len__(self) -> int:
        return len(self.y)

    def with_windows(self, X: Matrix, y: ActionArray, random: np.random.Generator) -> ReplayBuffer:
        """The buffer after more windows; only those that are kept are copied.

        Args:
            X: (m, L, F) windows.
            y: (m,) labels.
            random: draws which stay.
        """
        from_new: dict[int, int] = {}
        size, seen = len(self), self.seen
        for row in range(len(y)):
            seen += 1
            if size < self.most:
                from_new[size] = row
                size += 1
            elif self.most and (place := int(random.integers(seen))) < self.most:
                from_new[place] = row
        windows, labels = np.empty((size, *self.X.shape[1:]), np.float32), np.empty(size, np.int8)
        windows[: len(self)], labels[: len(self)] = self.X, self.y
        if from_new:
            places, rows = np.array(list(from_new), np.int64), np.array(list(from_new.values()), np.int64)
            windows[places], labels[places] = X[rows], y[rows]
        return ReplayBuffer(windows, labels, seen, self.most)

    def drawn(self, count: int, random: np.random.Generator) -> tuple[Float32Array, ActionArray]:
        """At most `count` of the windows, without repetition, and their labels."""
        chosen = random.permutation(len(self))[:count]
        return self.X[chosen], self.y[chosen]
