"""Block bootstrap over time for confidence intervals. (For Wilson's interval of a single rate see `core/wilson.py`.)

Rows of one day are not independent: their labels overlap, and symbols move together. The unit of resampling is
therefore a block of time over all symbols (default: a day), drawn with replacement; an interval is a range of
percentiles of the figure over the resamples. All figures share one set of resamples, so that figures of two models can
be compared in pairs.
"""

from __future__ import annotations

from typing import Self

import numpy as np

from quorate.core.clock import HOUR_MS
from quorate.core.settings import EvaluationSettings
from quorate.core.types import BoolArray, FloatArray, IntArray

Interval = tuple[float, float]

# Ranks are grouped in this many bins of equal size; pairs inside a bin count as ties, which changes an area under the
# ROC curve by at most 1 / 4,096, about a hundredth of the width of a typical interval.
_RANK_BINS = 4_096
_MOST_COUNTS = 8_000_000  # bins times blocks; above 1,953 blocks there are fewer bins

#: With fewer blocks the percentiles depend on single blocks.
FEWEST_BLOCKS = 5


class TimeBlocks:
    """Rows grouped into blocks of time, and seeded resamples of those blocks.

    Args:
        time: (n,) int64 ms; rows of one block (time // block length) are resampled together.
        settings: block length, number of resamples, confidence, seed.

    Attributes:
        block: (n,) index of each row's block, from 0; blocks without rows have no index.
        count: number of blocks.
        draws: (resamples, count) float64, how often each resample contains each block; rows sum to `count`.
    """

    def __init__(self, time: IntArray, settings: EvaluationSettings) -> None:
        self.settings = settings
        blocks, place = np.unique(np.asarray(time, np.int64) // (settings.block_hours * HOUR_MS), return_inverse=True)
        self.block: IntArray = place.astype(np.int64)
        self.count = len(blocks)
        generator = np.random.default_rng(settings.seed)
        even = np.full(self.count, 1 / self.count) if self.count else np.empty(0)
        self.draws: FloatArray = (
            generator.multinomial(self.count, even, size=settings.resamples).astype(np.float64)
            if self.count
            else np.zeros((settings.resamples, 0))
        )

    @property
    def enough(self) -> bool:
        """Whether there are at least five blocks, the fewest for an interval."""
        return self.count >= FEWEST_BLOCKS

    def select(self, rows: BoolArray) -> Self:
        """The same blocks and resamples for a subset of the rows, so that figures of both are paired."""
        part = object.__new__(type(self))
        part.settings, part.count, part.draws = self.settings, self.count, self.draws
        part.block = self.block[rows]
        return part

    def sums(self, values: FloatArray) -> FloatArray:
        """(resamples,) sum of (n,) `values` over each resample; NaN is ignored."""
        per_block = np.bincount(self.block, np.nan_to_num(values, nan=0.0), self.count)
        return np.asarray(self.draws @ per_block)

    def means(self, values: FloatArray) -> FloatArray:
        """(resamples,) mean of (n,) `values` over each resample; NaN is ignored."""
        return self.ratios(values, (~np.isnan(values)).astype(np.float64))

    def ratios(self, above: FloatArray, below: FloatArray) -> FloatArray:
        """(resamples,) sum of (n,) `above` over sum of (n,) `below`; NaN where the latter is 0."""
        return _ratio(self.sums(above), self.sums(below))

    def aucs(self, positive: BoolArray, ranks: FloatArray) -> FloatArray:
        """(resamples,) area under the ROC curve of a score for (n,) `positive`, by the score's (n,) `average_ranks`."""
        bins = max(1, min(_RANK_BINS, _MOST_COUNTS // max(1, self.count), len(ranks)))
        place = np.minimum(((ranks - 1) * (bins / max(1, len(ranks)))).astype(np.int64), bins - 1)
        yes = self._histograms(place[positive], self.block[positive], bins)
        no = self._histograms(place[~positive], self.block[~positive], bins)
        below = np.cumsum(no, axis=1) - no / 2
        # Pairs won between blocks, weighted by how often a resample contains both; multi_dot picks the cheaper order.
        won = np.linalg.multi_dot([self.draws, yes, below.T]) * self.draws
        return _ratio(won.sum(axis=1), (self.draws @ yes.sum(axis=1)) * (self.draws @ no.sum(axis=1)))

    def correlations(self, a: FloatArray, b: FloatArray) -> FloatArray:
        """(resamples,) Spearman's correlation of two variables, by the (n,) `average_ranks` of each.

        Ranks are among all rows; they are not recomputed for each resample.
        """
        n = max(1, len(a))
        x, y = a / n - 0.5, b / n - 0.5
        rows = self.sums(np.ones(len(a)))
        mean_x, mean_y = _ratio(self.sums(x), rows), _ratio(self.sums(y), rows)
        covariance = _ratio(self.sums(x * y), rows) - mean_x * mean_y
        spread_x = _ratio(self.sums(x * x), rows) - mean_x**2
        spread_y = _ratio(self.sums(y * y), rows) - mean_y**2
        # Ranks are scaled to a range of 1, so a smaller spread is 0 up to rounding.
        flat = (np.minimum(spread_x, spread_y) < 1e-12) | (rows == 0)
        return _ratio(covariance, np.where(flat, 0.0, np.sqrt(np.maximum(spread_x * spread_y, 0.0))))

    def calibration_errors(self, score: FloatArray, correct: FloatArray, bins: int) -> FloatArray:
        """(resamples,) expected calibration error of (n,) winning scores and (n,) 0 or 1 for correct, all finite.

        Noise can only increase a sum of absolute differences, so the interval may lie above the figure itself.
        """
        place = np.clip(np.ceil(score * bins).astype(np.int64) - 1, 0, bins - 1)
        flat = self.block * bins + place
        apart = np.bincount(flat, score - correct, self.count * bins).reshape(self.count, bins)
        return _ratio(np.abs(self.draws @ apart).sum(axis=1), self.sums(np.ones(len(score))))

    def interval(self, samples: FloatArray) -> Interval | None:
        """Central `confidence` interval of (resamples,) values; None with fewer than five blocks or no finite value."""
        known = samples[np.isfinite(samples)]
        if not self.enough or not known.size:
            return None
        tail = (1 - self.settings.confidence) / 2
        low, high = np.quantile(known, [tail, 1 - tail])
        return float(low), float(high)

    def _histograms(self, place: IntArray, block: IntArray, bins: int) -> FloatArray:
        """(blocks, bins) number of rows of each block in each rank bin."""
        flat = np.bincount(block * bins + place, minlength=self.count * bins)
        return flat.reshape(self.count, bins).astype(np.float64)


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """Element-wise division; NaN over 0 without a warning, since a resample may lack all rows of a kind."""
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below != 0)
