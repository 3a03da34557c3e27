"""Importance of a group of columns over the folds: how much the loss rises, and how steadily."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from quorate.core.types import FloatArray, IntArray
from quorate.evaluation.json_values import Figures
from quorate.evaluation.statistics.block_bootstrap import Interval, TimeBlocks


@dataclass(frozen=True, slots=True)
class LossRise:
    """LossRise of a loss on held-out rows; above 0 where what was taken away is missed.

    Attributes:
        mean: over all rows.
        interval: of the mean, by blocks of time; None with too few blocks.
        by_fold: mean of each fold.
    """

    mean: float
    interval: Interval | None
    by_fold: tuple[float, ...]

    @classmethod
    def of(cls, rise: FloatArray, fold: IntArray, blocks: TimeBlocks) -> LossRise:
        """The rise of (m,) losses, of (m,) folds from 0, in `blocks` of the same rows."""
        sums = np.bincount(fold, rise)
        by_fold = sums / np.maximum(np.bincount(fold), 1)
        return cls(float(rise.mean()), blocks.interval(blocks.means(rise)), tuple(by_fold.tolist()))

    @property
    def folds_above(self) -> int:
        """Number of folds in which the mean is above 0."""
        return sum(value > 0 for value in self.by_fold)

    def earns(self, positive: float) -> bool:
        """Whether the whole interval is above 0, and the mean of at least a share of the folds."""
        above = self.interval is not None and self.interval[0] > 0
        return above and self.folds_above >= positive * len(self.by_fold)

    def no_worse(self, tolerance: float) -> bool:
        """Whether the loss does not rise, or by no more than `tolerance` at the upper end of the interval.

        Without an interval that is not known, and False.
        """
        return self.interval is not None and (self.mean <= 0 or self.interval[1] <= tolerance)

    def to_json(self, ranks: Sequence[int] = ()) -> dict[str, Any]:
        """JSON-safe; `ranks` by fold, 1 for the largest rise, where there are several to compare."""
        figures = Figures()
        figures.add("rise", self.mean)
        figures.add_interval("rise_ci", self.interval, "too few blocks of time")
        return {
            **figures.to_json(),
            "by_fold": list(self.by_fold),
            "folds_above": self.folds_above,
            **({"ranks": list(ranks)} if ranks else {}),
        }


def ranks_by_fold(rises: Sequence[LossRise]) -> list[list[int]]:
    """For each rise its rank in each fold, from 1 for the largest; of equal ones the earlier is first.

    >>> ranks_by_fold([LossRise(0, None, (0.1, 0.3)), LossRise(0, None, (0.2, 0.1))])
    [[2, 1], [1, 2]]
    """
    order = np.argsort(-np.array([rise.by_fold for rise in rises]), axis=0, kind="stable")
    ranks: list[list[int]] = (order.argsort(axis=0) + 1).tolist()
    return ranks
