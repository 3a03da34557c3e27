"""Time: UTC milliseconds, timeframes, and when a bar is closed.

Every time in Quorate is an int of milliseconds since 1970-01-01 UTC; a bar is named by its *open* time.
"""

from __future__ import annotations

import re
import time as _time
from datetime import UTC, datetime
from functools import lru_cache

from quorate.core.errors import QuorateError, UnknownTimeframeError

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

#: Days of a year in annualised figures: crypto trades every day.
YEAR_DAYS = 365

_UNIT_MS = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS, "w": 7 * DAY_MS}
_TIMEFRAME = re.compile(r"([1-9]\d{0,3})([mhdw])")

# 1970-01-01 was a Thursday; exchanges open weekly bars on Mondays.
_MONDAY_MS = 4 * DAY_MS


def timeframe_ms(timeframe: str) -> int:
    """Length of one bar in milliseconds.

    Raises:
        UnknownTimeframeError: not a number and one of m, h, d, w.

    >>> timeframe_ms("4h")
    14400000
    """
    length = _length_ms(timeframe) if isinstance(timeframe, str) else None
    if length is None:
        raise UnknownTimeframeError(
            "parse the timeframe",
            found=repr(timeframe),
            expected="a number and one of m, h, d, w, such as 5m, 1h, 4h or 1d",
        )
    return length


@lru_cache(maxsize=64)
def _length_ms(timeframe: str) -> int | None:
    match = _TIMEFRAME.fullmatch(timeframe)
    return None if match is None else int(match[1]) * _UNIT_MS[match[2]]


def bar_offset_ms(timeframe: str) -> int:
    """Remainder of an open time divided by the bar's length, in ms: 0, except for weeks, which open on Mondays."""
    return _MONDAY_MS % timeframe_ms(timeframe) if timeframe.endswith("w") else 0


def now_ms() -> int:
    """The current time in milliseconds UTC."""
    return _time.time_ns() // 1_000_000


def newest_closed_ms(timeframe: str, now: int) -> int:
    """Open time of the newest bar that is closed at `now`, in ms: open + timeframe <= now.

    >>> format_ms(newest_closed_ms("1h", parse_ms("2025-05-01 12:30")))
    '2025-05-01 11:00'
    """
    length, offset = timeframe_ms(timeframe), bar_offset_ms(timeframe)
    return (now - offset) // length * length - length + offset


def parse_ms(text: str) -> int:
    """Convert an ISO date, or date and time, to milliseconds; UTC unless it has an offset.

    Raises:
        QuorateError: not an ISO date.

    >>> parse_ms("2025-05-01")
    1746057600000
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise QuorateError(
            "parse the date", found=repr(text), expected="YYYY-MM-DD or YYYY-MM-DDTHH:MM, in UTC"
        ) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def format_ms(milliseconds: int) -> str:
    """Format milliseconds as 'YYYY-MM-DD HH:MM' in UTC; values outside the calendar as a number.

    >>> format_ms(1746057600000)
    '2025-05-01 00:00'
    """
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return f"{milliseconds} ms"


def iso_ms(milliseconds: int) -> str:
    """Format milliseconds as ISO 8601 with a Z, for files and JSON.

    >>> iso_ms(1746057600000)
    '2025-05-01T00:00:00Z'
    """
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
