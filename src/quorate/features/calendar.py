"""When the bar closes, in UTC."""

from __future__ import annotations

import math

import numpy as np

from quorate.core.clock import DAY_MS, HOUR_MS, timeframe_ms
from quorate.core.types import FloatArray, IntArray
from quorate.features.bars import Bars
from quorate.features.column import Column

_HOUR_ANGLES = np.arange(24) * (2 * math.pi / 24)
_DAY_ANGLES = np.arange(7) * (2 * math.pi / 7)


def _close(bars: Bars) -> IntArray:
    return bars.once("close time", lambda: bars.time + timeframe_ms(bars.timeframe))


def _hour(bars: Bars) -> IntArray:
    return bars.once("hour", lambda: _close(bars) // HOUR_MS % 24)


def _day(bars: Bars) -> IntArray:
    """Days since 1970-01-01."""
    return bars.once("day", lambda: _close(bars) // DAY_MS)


def _day_of_week(bars: Bars) -> IntArray:
    """Monday is 0; 1970-01-01 was a Thursday."""
    return bars.once("day of week", lambda: (_day(bars) + 3) % 7)


def _day_of_month(bars: Bars) -> FloatArray:
    """The first is 1."""
    day = _day(bars)
    if not len(day):
        return np.empty(0)
    dates = np.arange(day[0], day[-1] + 1).astype("datetime64[D]")
    of_month = (dates - dates.astype("datetime64[M]")).astype(np.float64) + 1
    taken: FloatArray = of_month[day - day[0]]
    return taken


COLUMNS = (
    Column("hour", 0, lambda bars: _hour(bars).astype(np.float64)),
    Column("day_of_week", 0, lambda bars: _day_of_week(bars).astype(np.float64)),
    Column("day_of_month", 0, _day_of_month),
    Column("hour_sin", 0, lambda bars: np.sin(_HOUR_ANGLES)[_hour(bars)]),
    Column("hour_cos", 0, lambda bars: np.cos(_HOUR_ANGLES)[_hour(bars)]),
    Column("day_sin", 0, lambda bars: np.sin(_DAY_ANGLES)[_day_of_week(bars)]),
    Column("day_cos", 0, lambda bars: np.cos(_DAY_ANGLES)[_day_of_week(bars)]),
)
