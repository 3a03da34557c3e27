"""Variance of each bar from its prices, and its sums over windows of time.

Windows are spans of time: a missing bar is no return and adds nothing. Running sums serve here, unlike in features: the
sums are of values above zero, and a forecast's coefficients depend on all earlier bars anyway.

Reference: Parkinson (1980), The extreme value method for estimating the variance of the rate of return.
"""

from __future__ import annotations

import numpy as np

from quorate.core.clock import DAY_MS, timeframe_ms
from quorate.core.scale_changes import scale_change_bars
from quorate.core.types import BoolArray, Candles, FloatArray, IntArray
from quorate.features.bars import Bars
from quorate.features.groups.variance import parkinson
from quorate.targets.returns import has_future

# A bar counts as at most so many times the mean of the week before it, or one crash would raise every later forecast.
_LIMIT = 50.0
_WEEK_MS = 7 * DAY_MS

# Days whose same hours are averaged, and the fewest of them.
_SAME_HOURS, _LEAST_SAME_HOURS = 7, 4


class VarianceHistory:
    """Variance of the n bars of one market.

    A bar's variance is Parkinson's, of its high and low, plus the squared return from the last close to its open.
    Ranges tell more of volatility than returns do, but are biased against returns by ticks and by sampling; forecasts
    are rescaled, see `close_to_close`.

    Args:
        candles: closed candles.
        limit: maximum of a bar's variance, and of its squared return, in mean variances of the week before it.

    Attributes:
        time: (n,) int64 open times in ms.
        variance: (n,) float64, at least 0, limited. Between a bar and the one before it there is no return where bars
            are missing or the price scale changes.

    Raises:
        CandleError: a price that is not finite and positive.
    """

    def __init__(self, candles: Candles, *, limit: float = _LIMIT) -> None:
        self._candles = candles
        self._length = timeframe_ms(candles.timeframe)
        self.time: IntArray = candles.time
        bars = Bars(candles)
        variance = parkinson(bars).copy()
        follows = _follows(candles, self._length)
        variance[1:][follows] += np.log(bars.open[1:] / bars.close[:-1])[follows] ** 2
        squared = np.zeros(len(candles))
        squared[1:][follows] = np.log(bars.close[1:] / bars.close[:-1])[follows] ** 2
        most = limit * self._week_before(variance)
        self.variance: FloatArray = np.minimum(variance, most)
        self._running = _running_sum(self.variance)
        measured = np.zeros(len(candles))
        measured[1:][follows] = self.variance[1:][follows]
        self._squared, self._measured = np.cumsum(np.minimum(squared, most)), np.cumsum(measured)

    def __len__(self) -> int:
        return len(self.time)

    def bars_in(self, ms: int) -> int:
        """Bars in a span of time, at least 1."""
        return max(1, round(ms / self._length))

    def mean(self, bars: int, least: int) -> FloatArray:
        """(n,) mean variance of a bar over the newest `bars` periods; NaN where fewer than `least` bars are in them."""
        return self._mean(self._running, bars, least)

    def _mean(self, running: FloatArray, bars: int, least: int) -> FloatArray:
        after = np.arange(1, len(self) + 1)
        first = np.searchsorted(self.time, self.time - (bars - 1) * self._length)
        count = after - first
        return np.where(count >= least, (running[after] - running[first]) / count, np.nan)

    def _week_before(self, variance: FloatArray) -> FloatArray:
        """(n,) mean variance of the week before each bar; infinite where less than half of it is known, or it is 0."""
        week = self.bars_in(_WEEK_MS)
        before = np.full(len(self), np.inf)
        before[1:] = self._mean(_running_sum(variance), week, (week + 1) // 2)[:-1]
        return np.where(before > 0, before, np.inf)

    def within_a_day(self, horizon: int) -> bool:
        """Whether the next `horizon` bars have hours of their own, which the bars of earlier days had too."""
        return DAY_MS % self._length == 0 and horizon * self._length < DAY_MS

    def same_hours(self, horizon: int) -> FloatArray:
        """(n,) mean variance of a bar over the hours that the next `horizon` bars have, on the 7 days before.

        Only for horizons `within_a_day`. NaN where fewer than 4 days have all their bars.
        """
        total, days = np.zeros(len(self)), np.zeros(len(self))
        for day in range(1, _SAME_HOURS + 1):
            last = self.time + horizon * self._length - day * DAY_MS
            end = np.searchsorted(self.time, last)
            first = np.maximum(end + 1 - horizon, 0)
            whole: BoolArray = self.time[end] == last
            whole &= self.time[end] - self.time[first] == (horizon - 1) * self._length
            total += np.where(whole, self._running[end + 1] - self._running[first], 0.0)
            days += whole
        return np.where(days >= _LEAST_SAME_HOURS, total / (horizon * np.maximum(days, 1)), np.nan)

    def ahead(self, horizon: int) -> FloatArray:
        """(n,) sum of the variances of the next `horizon` bars; NaN where one is missing or of another price scale."""
        total = np.full(len(self), np.nan)
        rows = np.flatnonzero(has_future(self._candles, horizon))
        total[rows] = self._running[rows + 1 + horizon] - self._running[rows + 1]
        return total

    def close_to_close(self) -> FloatArray:
        """(n,) mean squared return from close to close over the mean variance, of the bars so far; 1 without any."""
        ratio = np.ones(len(self))
        np.divide(self._squared, self._measured, out=ratio, where=self._measured > 0)
        return ratio


def _running_sum(values: FloatArray) -> FloatArray:
    """(n + 1,) sums of the values before each place."""
    running: FloatArray = np.concatenate([[0.0], np.cumsum(values)])
    return running


def _follows(candles: Candles, length: int) -> BoolArray:
    """(n - 1,) whether each bar but the first continues the one before it: none is missing, the price scale is one."""
    follows: BoolArray = np.diff(candles.time) == length
    changes = scale_change_bars(candles, candles.timeframe)
    follows[changes - 1] = False
    return follows
