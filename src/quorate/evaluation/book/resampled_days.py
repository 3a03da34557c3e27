"""Intervals of figures of daily returns, by resampling blocks of days."""

from __future__ import annotations

import math

import numpy as np

from quorate.core.clock import YEAR_DAYS
from quorate.core.types import FloatArray, IntArray
from quorate.evaluation.book.options import JudgementOptions
from quorate.evaluation.statistics.block_bootstrap import FEWEST_BLOCKS
from quorate.evaluation.statistics.circular_blocks import circular_blocks

#: Why an interval is missing.
TOO_FEW = "too few days"

# Of daily returns below which nothing moves.
_FLAT = 1e-12

Interval = tuple[float, float]


def sharpe_of(returns: FloatArray) -> FloatArray:
    """(...,) annualised Sharpe ratio of (..., days) returns, risk-free rate 0; NaN where no return differs."""
    if returns.shape[-1] < 2:
        return np.full(returns.shape[:-1], np.nan)
    mean, spread = returns.mean(axis=-1), returns.std(axis=-1, ddof=1)
    known = spread > _FLAT
    ratio = np.divide(mean, spread, out=np.full_like(mean, np.nan), where=known)
    return np.asarray(ratio * math.sqrt(YEAR_DAYS))


class DayResamples:
    """Resamples of the days of one series: figures of series of the same days are paired.

    Args:
        days: of the series.
        options: block length, number of resamples, confidence, seed.

    Attributes:
        draws: (resamples, days) numbers of days; no rows where there are fewer than five blocks.
    """

    def __init__(self, days: int, options: JudgementOptions) -> None:
        self._confidence = options.confidence
        enough = days >= FEWEST_BLOCKS * options.block_days
        self.draws: IntArray = (
            circular_blocks(days, options.block_days, options.resamples, options.seed)
            if enough
            else np.empty((0, days), np.int64)
        )

    def sharpe(self, returns: FloatArray) -> Interval | None:
        """Of the annualised Sharpe ratio of (days,) returns."""
        return self.interval(sharpe_of(returns[self.draws]))

    def sharpe_difference(self, one: FloatArray, other: FloatArray) -> Interval | None:
        """Of the Sharpe ratio of one series less that of the other."""
        return self.interval(sharpe_of(one[self.draws]) - sharpe_of(other[self.draws]))

    def mean(self, values: FloatArray) -> Interval | None:
        """Of the mean of (days,) values."""
        return self.interval(values[self.draws].mean(axis=-1))

    def yearly_return(self, returns: FloatArray) -> Interval | None:
        """Of the compound return of a year."""
        return self.interval(yearly(returns[self.draws]))

    def interval(self, samples: FloatArray) -> Interval | None:
        """Central interval of (resamples,) values; None without any, or where most are unknown."""
        known = samples[np.isfinite(samples)]
        if not len(known) or len(known) <= len(samples) / 2:
            return None
        tail = (1 - self._confidence) / 2
        low, high = np.quantile(known, [tail, 1 - tail])
        return float(low), float(high)


def yearly(returns: FloatArray) -> FloatArray:
    """(...,) compound return of a year of (..., days) returns; -1 where all is lost.

    >>> round(float(yearly(np.full(365, 0.001))), 4)
    0.4403
    """
    with np.errstate(divide="ignore"):
        growth = np.log(np.maximum(1 + returns, 0.0)).sum(axis=-1)
    return np.asarray(np.expm1(growth * YEAR_DAYS / max(returns.shape[-1], 1)))
