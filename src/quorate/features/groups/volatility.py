"""Volatility and the distribution of price changes."""

from __future__ import annotations

import math

import numpy as np

from quorate.core.types import FloatArray
from quorate.features import rolling
from quorate.features.arithmetic import equal, ratio
from quorate.features.bars import Bars
from quorate.features.column import Column
from quorate.features.groups.technical import band_middle, band_reach

_DAY = {"least": 6, "most": 48}
_WEEK = {"least": 42, "most": 288}


def _bb_pct(bars: Bars) -> FloatArray:
    """Position of the close between the Bollinger bands: 0 on the lower, 1 on the upper, 0 where they coincide."""
    reach = band_reach(bars)
    return ratio(bars.close[..., 19:] - band_middle(bars) + reach, 2 * reach)


def _parkinson_20(bars: Bars) -> FloatArray:
    """Parkinson volatility, from the highs and lows of 20 bars (Parkinson, 1980)."""
    span = np.log(bars.high / bars.low)
    return np.sqrt(rolling.sums(span * span).over(20) / (20 * 4 * math.log(2)))


def _skew_48(bars: Bars) -> FloatArray:
    """Adjusted Fisher-Pearson skewness of 48 one-bar changes; 0 where they are all equal."""
    n = 48
    mean, square = bars.change_moments(n)
    changes, squares = bars.change_powers()
    cube = rolling.sums(squares * changes).mean(n)
    variance = square - mean * mean
    third = cube - mean * (3 * square - 2 * mean * mean)
    skew = ratio(third, variance * np.sqrt(variance))
    np.copyto(skew, 0.0, where=equal(square, variance))
    return skew * (math.sqrt(n * (n - 1)) / (n - 2))


COLUMNS = (
    Column("volatility_20", 20, lambda bars: bars.change_deviation(20)),
    Column("volatility_1d", _DAY["most"], lambda bars: bars.change_deviation(bars.bars_in(1, **_DAY))),
    Column("volatility_7d", _WEEK["most"], lambda bars: bars.change_deviation(bars.bars_in(7, **_WEEK))),
    Column("bb_pct", 19, _bb_pct),
    Column("parkinson_20", 19, _parkinson_20),
    Column("skew_48", 48, _skew_48),
)
