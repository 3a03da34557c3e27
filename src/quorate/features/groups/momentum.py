"""Persistence of price moves: crosses of averages, efficiency, autocorrelation."""

from __future__ import annotations

import numpy as np

from quorate.core.types import BoolArray, FloatArray
from quorate.features import indicators, rolling
from quorate.features.arithmetic import ROUNDING, bounded, equal, ratio
from quorate.features.bars import Bars
from quorate.features.column import Column


def _efficiency_ratio_20(bars: Bars) -> FloatArray:
    """Efficiency ratio: net change over 20 bars divided by the sum of absolute changes (Kaufman, 1995)."""
    path = rolling.sums(np.abs(bars.close[..., 1:] - bars.close[..., :-1])).over(20)
    return ratio(np.abs(bars.close[..., 20:] - bars.close[..., :-20]), path)


def _autocorr_20(bars: Bars) -> FloatArray:
    """Correlation of 20 one-bar changes with those one bar earlier; 0 where all of either are equal."""
    changes = bars.change()
    mean, square = bars.change_moments(20)
    variance = square - mean * mean
    flat = equal(square, variance)
    correlation = rolling.sums(changes[..., 1:] * changes[..., :-1]).mean(20)
    correlation -= mean[..., 1:] * mean[..., :-1]
    correlation /= np.sqrt(variance[..., 1:] * variance[..., :-1])
    np.copyto(correlation, 0.0, where=flat[..., 1:] | flat[..., :-1])
    return bounded(correlation)


def _above(fast: FloatArray, slow: FloatArray, bars: Bars) -> BoolArray:
    """Whether one line is above the other by more than rounding errors, which decide on a flat market otherwise."""
    return fast - slow > ROUNDING * bars.close


COLUMNS = (
    Column("ema_cross_short", 20, lambda bars: _above(bars.ema(9), bars.ema(21), bars)),
    Column("ema_cross_medium", 49, lambda bars: _above(bars.ema(21), bars.ema(50), bars)),
    Column("macd_momentum", 33, lambda bars: _above(bars.macd(), bars.macd_signal(), bars)),
    Column("efficiency_ratio_20", 20, _efficiency_ratio_20),
    Column("autocorr_20", 21, _autocorr_20),
    Column("aroon_osc_25", 25, lambda bars: bars.talib(indicators.AROONOSC, 25, bars.high, bars.low)),
)
