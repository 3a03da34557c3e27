"""How much the price moves."""

from __future__ import annotations

import math

import numpy as np

from quorate.core.types import FloatArray
from quorate.features import rolling
from quorate.features.arithmetic import ratio
from quorate.features.bars import Bars, volatility_20
from quorate.features.column import Column
from quorate.features.technical import band_reach

_DAY = {"least": 6, "most": 48}
_WEEK = {"least": 42, "most": 288}


def _bb_pct(bars: Bars) -> FloatArray:
    """Place of the close between the Bollinger bands: 0 on the lower, 1 on the upper, 0 where they meet."""
    reach = band_reach(bars)
    return ratio(bars.close - bars.mean_close(20) + reach, 2 * reach)


def _parkinson_20(bars: Bars) -> FloatArray:
    """Volatility from highs and lows of 20 bars (Parkinson, 1980)."""
    span = np.log(bars.high / bars.low)
    span *= span
    (total,) = rolling.sums(span).over(20)
    return rolling.padded(np.sqrt(total / (20 * 4 * math.log(2))), len(bars))


def _skew_48(bars: Bars) -> FloatArray:
    """Adjusted Fisher-Pearson skewness of 48 one-bar changes; 0 where they are all equal."""
    n = 48
    _, squares, cubes = rolling.cubic_moments(bars.change()).over(n)
    skew = ratio(cubes, squares * np.sqrt(squares))
    return rolling.padded(skew * (n * math.sqrt(n - 1) / (n - 2)), len(bars))


COLUMNS = (
    Column("volatility_20", 20, volatility_20),
    Column("volatility_1d", _DAY["most"], lambda bars: bars.change_deviation(bars.bars_in(1, **_DAY))),
    Column("volatility_7d", _WEEK["most"], lambda bars: bars.change_deviation(bars.bars_in(7, **_WEEK))),
    Column("bb_pct", 19, _bb_pct),
    Column("parkinson_20", 19, _parkinson_20),
    Column("skew_48", 48, _skew_48),
)
