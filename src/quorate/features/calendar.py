"""When the bar closes, in UTC."""

from __future__ import annotations

import math

import numpy as np

from quorate.core.clock import DAY_MS, HOUR_MS, timeframe_ms
from quorate.core.types import IntArray
from quorate.features.bars import Bars
from quorate.features.column import Column

_HOUR_SIN, _HOUR_COS = np.sin(np.arange(24) * (math.pi / 12)), np.cos(np.arange(24) * (math.pi / 12))
_DAY_SIN, _DAY_COS = np.sin(np.arange(7) * (2 * math.pi / 7)), np.cos(np.arange(7) * (2 * math.pi / 7))


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


def _day_of_month(bars: Bars) -> IntArray:
    """The first is 1."""
    day = _day(bars)
    if not len(day):
        return day
    dates = np.arange(day[0], day[-1] + 1).astype("datetime64[D]")
    of_month: IntArray = (dates - dates.astype("datetime64[M]")).astype(np.int64) + 1
    of_each: IntArray = of_month[day - day[0]]
    return of_each


COLUMNS = (
    Column("hour", 0, _hour),
    Column("day_of_week", 0, _day_of_week),
    Column("day_of_month", 0, _day_of_month),
    Column("hour_sin", 0, lambda bars: _HOUR_SIN[_hour(bars)]),
    Column("hour_cos", 0, lambda bars: _HOUR_COS[_hour(bars)]),
    Column("day_sin", 0, lambda bars: _DAY_SIN[_day_of_week(bars)]),
    Column("day_cos", 0, lambda bars: _DAY_COS[_day_of_week(bars)]),
)
