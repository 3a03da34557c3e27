"""Price changes, the shape of the bar, and the distance from the highest and lowest price."""

from __future__ import annotations

import numpy as np

from quorate.core.types import FloatArray
from quorate.features.arithmetic import ratio
from quorate.features.bars import Bars
from quorate.features.column import Column


def _change(bars_back: int) -> Column:
    return Column(f"change_{bars_back}", bars_back, lambda bars: bars.change(bars_back))


def _high_low_range(bars: Bars) -> FloatArray:
    return (bars.high - bars.low) / bars.close


def _price_position(bars: Bars) -> FloatArray:
    return ratio(bars.close - bars.low, bars.high - bars.low)


def _upper_wick(bars: Bars) -> FloatArray:
    return (bars.high - np.maximum(bars.open, bars.close)) / bars.close


def _lower_wick(bars: Bars) -> FloatArray:
    return (np.minimum(bars.open, bars.close) - bars.low) / bars.close


COLUMNS = (
    Column("price_change", 1, lambda bars: bars.change()),
    *(_change(bars_back) for bars_back in (1, 4, 12, 24, 48, 96)),
    Column("high_low_range", 0, _high_low_range),
    Column("price_position", 0, _price_position),
    Column("upper_wick", 0, _upper_wick),
    Column("lower_wick", 0, _lower_wick),
    Column("from_high_96", 95, lambda bars: bars.close / bars.highest(96) - 1),
    Column("from_low_96", 95, lambda bars: bars.close / bars.lowest(96) - 1),
)
