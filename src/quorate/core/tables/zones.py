"""Local times to UTC."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from quorate.core.clock import format_ms
from quorate.core.errors import ArgumentError, DataError, close_match
from quorate.core.types.arrays import IntArray
from quorate.core.types.times import NO_TIME

_LATEST = 200_000_000_000_000  # ms; the year 8307
_EPOCH = datetime(1970, 1, 1)


def zone_of(name: str) -> ZoneInfo:
    """A time zone by its name.

    Raises:
        ArgumentError: no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        from zoneinfo import available_timezones

        raise ArgumentError(
            f"use the time zone {name!r}",
            found="no zone of that name",
            expected="a name such as Europe/Berlin, America/New_York, Asia/Shanghai or UTC",
            remedy=close_match(name, sorted(available_timezones())),
        ) from error


def to_utc(local: IntArray, zone: ZoneInfo, attempted: str) -> IntArray:
    """Convert local times to UTC.

    When clocks are set back, one hour is there twice. The two are told apart by the order of rows where the column has
    both, else by the grid of all other rows.

    Args:
        local: (n,) int64 ms, as if in UTC; `NO_TIME` stays.
        zone: their zone.
        attempted: the action, for errors.

    Raises:
        DataError: an hour that the zone skips, or one that is there twice and cannot be told apart.
    """
    known = local != NO_TIME
    times, places = np.unique(local[known], return_inverse=True)
    early, late = (np.array([_offset(int(time), zone, fold) for time in times], np.int64) for fold in (0, 1))
    first, second = (times - early)[places], (times - late)[places]
    result = local.copy()
    chosen = first.copy()
    unsure = first != second
    if unsure.any():
        rows = local[known]
        skipped = unsure & (early < late)[places]
        if skipped.any():
            raise DataError(
                attempted,
                found=f"{format_ms(int(rows[np.argmax(skipped)]))}, which the clocks of {zone.key} skip",
                expected=f"local times of {zone.key}",
                remedy="Give the zone that the times are in with `tz`, or leave it out if they are in UTC.",
            )
        chosen[unsure] = _told_apart(rows, first, second, unsure, zone, attempted)
    result[known] = chosen
    return result


def _offset(time: int, zone: ZoneInfo, fold: int) -> int:
    if not 0 < time < _LATEST:  # the checks of candles refuse it
        return 0
    moment = (_EPOCH + timedelta(milliseconds=time)).replace(tzinfo=zone, fold=fold)
    return round((moment.utcoffset() or timedelta()).total_seconds() * 1000)


def _told_apart(
    rows: IntArray, first: IntArray, second: IntArray, unsure: np.ndarray, zone: ZoneInfo, attempted: str
) -> IntArray:
    """UTC of the local times that are there twice."""
    places = np.flatnonzero(unsure)
    falling = len(rows) > 1 and rows[0] > rows[-1]
    order = places[::-1] if falling else places
    seen: dict[int, int] = {}
    count = {int(time): int(number) for time, number in zip(*np.unique(rows[places], return_counts=True), strict=True)}
    others = np.unique(np.diff(np.unique(first[~unsure])))
    spacing = int(others[0]) if len(others) else 0
    grid = int(first[~unsure][0]) % spacing if spacing else 0
    chosen = {}
    for place in order.tolist():
        time = int(rows[place])
        if count[time] == 2:
            chosen[place] = first[place] if seen.setdefault(time, place) == place else second[place]
            continue
        fits = [moment for moment in (first[place], second[place]) if spacing and moment % spacing == grid]
        if len(fits) != 1:
            raise DataError(
                attempted,
                found=f"{format_ms(time)}, which is there twice in {zone.key} and once in the file",
                expected="both hours, or none of them",
                remedy="Remove this row, or export the times in UTC.",
            )
        chosen[place] = fits[0]
    return np.array([chosen[place] for place in places.tolist()], dtype=np.int64)
