"""Market regimes, as flags."""

from __future__ import annotations

from quorate.core.types import BoolArray
from quorate.features.arithmetic import above, below
from quorate.features.bars import Bars
from quorate.features.column import Column
from quorate.features.groups.technical import atr_share, band_width


def _is_ranging(bars: Bars) -> BoolArray:
    return below(bars.adx(), 20) & below(atr_share(bars, 14), 0.02)


def _is_volatile(bars: Bars) -> BoolArray:
    return above(atr_share(bars, 14)[..., 19:], 0.025) & above(band_width(bars), 0.04)


COLUMNS = (
    Column("is_trending", 27, lambda bars: above(bars.adx(), 25)),
    Column("is_ranging", 27, _is_ranging),
    Column("is_volatile", 19, _is_volatile),
)
