"""Whether moves go on or turn back."""

from __future__ import annotations

import numpy as np

from quorate.core.types import FloatArray
from quorate.features import indicators, rolling
from quorate.features.arithmetic import flag, ratio
from quorate.features.bars import Bars
from quorate.features.column import Column


def _efficiency_ratio_20(bars: Bars) -> FloatArray:
    """Distance between the ends of 20 steps over the way walked (Kaufman, 1995)."""
    steps = np.abs(bars.close[1:] - bars.close[:-1])
    (walked,) = rolling.sums(steps).over(20)
    return rolling.padded(ratio(np.abs(bars.close[20:] - bars.close[:-20]), walked), len(bars))


def _autocorr_20(bars: Bars) -> FloatArray:
    """Correlation of 20 one-bar changes with the 20 one bar before; 0 where either is flat."""
    changes = bars.change()
    later, earlier = changes[1:], changes[:-1]
    squares = bars.once("change moments", lambda: rolling.moments(changes)).over(20)[1]
    roots = np.sqrt(squares)
    product = rolling.products(earlier, later).over(20)[2]
    return rolling.padded(np.clip(ratio(product, roots[:-1] * roots[1:]), -1, 1), len(bars))


COLUMNS = (
    Column("ema_cross_short", 20, lambda bars: flag(bars.ema(9) > bars.ema(21))),
    Column("ema_cross_medium", 49, lambda bars: flag(bars.ema(21) > bars.ema(50))),
    Column("macd_momentum", 33, lambda bars: flag(bars.macd() > bars.macd_signal())),
    Column("efficiency_ratio_20", 20, _efficiency_ratio_20),
    Column("autocorr_20", 21, _autocorr_20),
    Column("aroon_osc_25", 25, lambda bars: indicators.AROONOSC(bars.high, bars.low, 25)),
)
