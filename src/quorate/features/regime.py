"""What kind of market it is, as flags."""

from __future__ import annotations

from quorate.features.arithmetic import flag
from quorate.features.column import Column
from quorate.features.technical import atr_share, band_width

COLUMNS = (
    Column("is_trending", 27, lambda bars: flag(bars.adx() > 25)),
    Column("is_ranging", 27, lambda bars: flag((bars.adx() < 20) & (atr_share(bars, 14) < 0.02))),
    Column("is_volatile", 19, lambda bars: flag((atr_share(bars, 14) > 0.025) & (band_width(bars) > 0.04))),
)
