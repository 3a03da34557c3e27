"""Order of the training examples, a function of seed and step only."""

from __future__ import annotations

import numpy as np

from quorate.core.types import IntArray


class BatchOrder:
    """Consecutive shuffled passes over all rows, divided into epochs and batches.

    An epoch is the next `share` of the passes: with a share of 1/4, every row has been used after four epochs. The
    order depends on the seed only, so a resumed run continues with the same batches.

    Args:
        rows: n, the number of examples.
        batch: rows of a step; the last batch of an epoch may be smaller.
        share: of the rows in one epoch.
        seed: of the shuffling.

    Attributes:
        epoch_rows, epoch_steps: rows and steps of one epoch.

    >>> order = BatchOrder(rows=5, batch=2, share=0.6, seed=1)
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
            # The first batch of a pass may begin in the one before, which is kept.
            self._passes = {key: rows for key, rows in self._passes.items() if key == number - 1}
            self._passes[number] = np.random.default_rng((self._seed, number)).permutation(self._rows)
        return self._passes[number]
