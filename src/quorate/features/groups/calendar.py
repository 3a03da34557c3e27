"""Time of the close of the bar, in UTC."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from quorate.core.clock import HOUR_MS, timeframe_ms
from quorate.features.bars import Bars
from quorate.features.column import Column

HourArray = npt.NDArray[np.int32]

_HOUR_SIN, _HOUR_COS = np.sin(np.arange(24) * (math.pi / 12)), np.cos(np.arange(24) * (math.pi / 12))
_DAY_SIN, _DAY_COS = np.sin(np.arange(7) * (2 * math.pi / 7)), np.cos(np.arange(7) * (2 * math.pi / 7))


def _hours(bars: Bars) -> HourArray:
    """Whole hours from 1970-01-01 to the bar's close, as int32, which divides several times as fast as int64."""
    return bars.once("hours", lambda: ((bars.time + timeframe_ms(bars.timeframe)) // HOUR_MS).astype(np.int32))


def _hour(bars: Bars) -> HourArray:
    return bars.once("hour", lambda: _hours(bars) % 24)


def _day(bars: Bars) -> HourArray:
    """Days since 1970-01-01."""
    return bars.once("day", lambda: _hours(bars) // 24)


def _day_of_week(bars: Bars) -> HourArray:
    """Monday is 0; 1970-01-01 was a Thursday."""
    return bars.once("day of week", lambda: (_day(bars) + 3) % 7)


def _day_of_month(bars: Bars) -> HourArray:
    """The first is 1."""
    day = _day(bars)
    if not len(day):
        return day
    of_each: HourArray = _days_of_month(int(day[0]), int(day[-1]))[day - day[0]]
    return of_each


@lru_cache(maxsize=8)
def _days_of_month(first: int, last: int) -> HourArray:
    """Of each day from `first` to `last`. Cached: live, hundreds of symbols need the same days within a bar."""
    dates = np.arange(first, last + 1).astype("datetime64[D]")
    of_month: HourArray = (dates - dates.astype("datetime64[M]")).astype(np.int32) + 1
    return of_month


COLUMNS = (
    Column("hour", 0, _hour),
    Column("day_of_week", 0, _day_of_week),
    Column("day_of_month", 0, _day_of_month),
    Column("hour_of_week", 0, lambda bars: 24 * _day_of_week(bars) + _hour(bars)),
    Column("hour_sin", 0, lambda bars: _HOUR_SIN[_hour(bars)]),
    Column("hour_cos", 0, lambda bars: _HOUR_COS[_hour(bars)]),
    Column("day_sin", 0, lambda bars: _DAY_SIN[_day_of_week(bars)]),
    Column("day_cos", 0, lambda bars: _DAY_COS[_day_of_week(bars)]),
)
