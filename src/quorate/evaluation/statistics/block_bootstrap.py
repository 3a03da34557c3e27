"""How sure a figure is: a bootstrap over blocks of time. (A rate alone has Wilson's interval, `core/wilson.py`.)

Rows of one day are not independent: their labels overlap and all symbols move together. So the unit that is
resampled is a block of time over all symbols (a day, unless set otherwise), with replacement, and an interval is the
percentiles of the figure over the resamples. Resamples are drawn once and serve every figure, so that figures of two
models can be compared resample by resample.
"""

from __future__ import annotations

from typing import Self

import numpy as np

from quorate.core.clock import HOUR_MS
from quorate.core.settings import EvaluationSettings
from quorate.core.types import BoolArray, FloatArray, IntArray
from quorate.evaluation.metrics.classification import average_ranks

Interval = tuple[float, float]

# Ranks are kept in this many bins of equal size; pairs inside a bin count as ties, which moves an area under the ROC
# curve by at most 1 / 4,096, a hundredth of a usual interval's width.
_RANK_BINS = 4_096
_MOST_COUNTS = 8_000_000  # of bins times blocks: with more blocks than 1,953, bins are fewer

# Percentiles over resamples of fewer blocks than this say more about the few blocks than about the figure.
_FEWEST_BLOCKS = 5


class TimeBlocks:
    """Rows grouped by blocks of time, and seeded resamples of those blocks.

    Args:
        time: (n,) int64 ms; rows of one block (time // block length) are resampled together.
        settings: block length, number of resamples, confidence, seed.

    Attributes:
        block: (n,) the block of each row, counted from 0; blocks without rows do not exist.
        count: number of blocks.
        draws: (resamples, count) float64, how often each resample holds each block; every row sums to `count`.
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
        """There are blocks enough for an interval."""
        return self.count >= _FEWEST_BLOCKS

    def select(self, rows: BoolArray) -> Self:
        """The same blocks and resamples, for some of the rows: paired with the figures of all rows."""
        part = object.__new__(type(self))
        part.settings, part.count, part.draws = self.settings, self.count, self.draws
        part.block = self.block[rows]
        return part

    def sums(self, values: FloatArray) -> FloatArray:
        """(resamples,) the sum of `values` (n,) over each resample; NaN values are left out."""
        per_block = np.bincount(self.block, np.nan_to_num(values, nan=0.0), self.count)
        return np.asarray(self.draws @ per_block)

    def means(self, values: FloatArray) -> FloatArray:
        """(resamples,) the mean of `values` (n,) over each resample; NaN values are left out."""
        return self.ratios(values, (~np.isnan(values)).astype(np.float64))

    def ratios(self, above: FloatArray, below: FloatArray) -> FloatArray:
        """(resamples,) sum of `above` over sum of `below`, both (n,); NaN where the lower sum is 0."""
        return _ratio(self.sums(above), self.sums(below))

    def areas(self, positive: BoolArray, score: FloatArray) -> FloatArray:
        """(resamples,) area under the ROC curve of `score` (n,) for `positive` (n,), both without NaN."""
        bins = max(1, min(_RANK_BINS, _MOST_COUNTS // max(1, self.count), len(score)))
        place = np.minimum(((average_ranks(score) - 1) * (bins / max(1, len(score)))).astype(np.int64), bins - 1)
        yes = self._histograms(place[positive], self.block[positive], bins)
        no = self._histograms(place[~positive], self.block[~positive], bins)
        below = np.cumsum(no, axis=1) - no / 2
        # Pairs won between blocks, weighted by how often a resample holds both; multiplied in whichever order is less.
        won = np.linalg.multi_dot([self.draws, yes, below.T]) * self.draws
        return _ratio(won.sum(axis=1), (self.draws @ yes.sum(axis=1)) * (self.draws @ no.sum(axis=1)))

    def correlations(self, a: FloatArray, b: FloatArray) -> FloatArray:
        """(resamples,) Spearman's correlation of `a` and `b` (n,), both without NaN.

        Ranks are those among all rows; they are not taken anew in each resample.
        """
        n = max(1, len(a))
        x, y = average_ranks(a) / n - 0.5, average_ranks(b) / n - 0.5
        rows = self.sums(np.ones(len(a)))
        mean_x, mean_y = _ratio(self.sums(x), rows), _ratio(self.sums(y), rows)
        covariance = _ratio(self.sums(x * y), rows) - mean_x * mean_y
        spread_x = _ratio(self.sums(x * x), rows) - mean_x**2
        spread_y = _ratio(self.sums(y * y), rows) - mean_y**2
        # Of ranks within one, so that anything below this is what rounding leaves of no spread at all.
        flat = (np.minimum(spread_x, spread_y) < 1e-12) | (rows == 0)
        return _ratio(covariance, np.where(flat, 0.0, np.sqrt(np.maximum(spread_x * spread_y, 0.0))))

    def calibration_errors(self, score: FloatArray, correct: FloatArray, bins: int) -> FloatArray:
        """(resamples,) expected calibration error of winning scores (n,) that were right or not (n,), all finite.

        An error is a sum of distances, which noise only adds to: the interval can lie above the figure itself.
        """
        place = np.clip(np.ceil(score * bins).astype(np.int64) - 1, 0, bins - 1)
        flat = self.block * bins + place
        apart = np.bincount(flat, score - correct, self.count * bins).reshape(self.count, bins)
        return _ratio(np.abs(self.draws @ apart).sum(axis=1), self.sums(np.ones(len(score))))

    def interval(self, samples: FloatArray) -> Interval | None:
        """The middle `confidence` of a figure's resamples; None with fewer than five blocks or no finite resample."""
        known = samples[np.isfinite(samples)]
        if not self.enough or not known.size:
            return None
        tail = (1 - self.settings.confidence) / 2
        low, high = np.quantile(known, [tail, 1 - tail])
        return float(low), float(high)

    def _histograms(self, place: IntArray, block: IntArray, bins: int) -> FloatArray:
        """(blocks, bins) how many rows of each block fall in each rank bin."""
        flat = np.bincount(block * bins + place, minlength=self.count * bins)
        return flat.reshape(self.count, bins).astype(np.float64)


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """Division that gives NaN over zero, without a warning: a resample may miss every row of a kind."""
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below != 0)
