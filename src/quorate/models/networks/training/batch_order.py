"""In which order a run visits its examples: known for every step from the seed alone."""

from __future__ import annotations

import numpy as np

from quorate.core.types import IntArray


class BatchOrder:
    """Shuffled passes over all rows, one after the other, cut into epochs and batches.

    An epoch is the next share of the passes, so that epochs of a quarter have seen every row after four of them.
    Nothing but the seed decides, so a run that goes on from its middle sees what it would have seen.

    Args:
        rows: n, how many examples there are.
        batch: of a step; the last one of an epoch may be smaller and is not dropped.
        share: of the rows that an epoch visits.
        seed: of the shuffling.

    Attributes:
        epoch_rows, epoch_steps: of one epoch.

    >>> order = Order(rows=5, batch=2, share=0.6, seed=1)
    >>> order.epoch_rows, order.epoch_steps
    (3, 2)
    >>> [len(order.rows(step)) for step in range(4)]
    [2, 1, 2, 1]
    """

    def __init__(self, rows: int, batch: int, share: float, seed: int) -> None:
        self.epoch_rows = max(1, round(share * rows))
        self.epoch_steps = -(-self.epoch_rows // batch)
        self._rows = rows
        self._batch = batch
        self._seed = seed
        self._passes: dict[int, IntArray] = {}

    def rows(self, step: int) -> IntArray:
        """(b,) int64 rows of a step, counted from 0."""
        epoch, within = divmod(step, self.epoch_steps)
        first = epoch * self.epoch_rows + within * self._batch
        last = min(first + self._batch, (epoch + 1) * self.epoch_rows)
        parts = []
        while first < last:
            number, start = divmod(first, self._rows)
            part = self._pass(number)[start : start + last - first]
            parts.append(part)
            first += len(part)
        return np.concatenate(parts)

    def _pass(self, number: int) -> IntArray:
        if number not in self._passes:
            # The one before may still be needed, by the first batch of this one.
            self._passes = {key: rows for key, rows in self._passes.items() if key == number - 1}
            self._passes[number] = np.random.default_rng((self._seed, number)).permutation(self._rows)
        return self._passes[number]
