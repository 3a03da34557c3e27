"""Candle columns of a pandas frame."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from quorate.core.errors import ArgumentError, DataError
from quorate.core.types.arrays import FloatArray, IntArray

if TYPE_CHECKING:
    import pandas as pd

#: Time of a row without one.
NO_TIME = int(np.iinfo(np.int64).min)

#: Names of the column of open times; the first one found is used.
TIME_COLUMNS = ("date", "timestamp", "open_time", "datetime", "time")

_VALUES = ("open", "high", "low", "close", "volume")

# The unit of an integer time follows from its magnitude: seconds, milliseconds, microseconds and nanoseconds since 1970
# differ by factors of 1,000, and these bounds are right for all dates from 1973 to 5138.
_SECONDS_BELOW, _MILLISECONDS_BELOW, _MICROSECONDS_BELOW = 10**11, 10**14, 10**17


def milliseconds(values: IntArray) -> IntArray:
    """Convert integer times in s, ms, us or ns to milliseconds; the unit of each value follows from its magnitude.

    Value by value, because archives joined across an exchange's change of unit hold both units in one column.

    Returns:
        (n,) int64, ms UTC; `NO_TIME` for values of 0 or less.

    >>> milliseconds(np.array([1735689600, 1735689600_000, 1735689600_000_000, 1735689600_000_000_000])).tolist()
    [1735689600000, 1735689600000, 1735689600000, 1735689600000]
    """
    values = np.asarray(values, dtype=np.int64)
    if values.size == 0:
        return values
    low, high = int(values.min()), int(values.max())
    if low >= _SECONDS_BELOW and high < _MILLISECONDS_BELOW:
        return values
    result = np.where(values < _SECONDS_BELOW, values * 1000, values)
    result = np.where(values >= _MILLISECONDS_BELOW, values // 1000, result)
    result = np.where(values >= _MICROSECONDS_BELOW, values // 1_000_000, result)
    return np.where(values <= 0, NO_TIME, result)


def frame_columns(frame: pd.DataFrame, attempted: str) -> tuple[IntArray, dict[str, FloatArray]]:
    """Read open times and candle columns of a frame, in the order of its rows, unchecked.

    Column names are compared without regard to case. Open times are a column of `TIME_COLUMNS`, or the index where it
    holds dates or has one of those names: dates with a time zone, dates without one (UTC), ISO texts, or numbers since
    1970 in s, ms, us or ns, with the unit from the magnitude.

    Args:
        frame: any other columns are ignored.
        attempted: the action, for errors.

    Returns:
        (n,) int64 ms UTC, `NO_TIME` where a row has no time; name -> (n,) float64, NaN where a row has no value.

    Raises:
        ArgumentError: not a pandas frame.
        DataError: a column is missing, there twice or of another type.
    """
    # Known without pandas, which may not be installed where no frame can be made.
    if not hasattr(frame, "columns") or not hasattr(frame, "index"):
        raise ArgumentError(attempted, found=f"`frame` of type {type(frame).__name__}", expected="a pandas frame")

    if frame.columns.nlevels > 1:
        raise DataError(
            attempted,
            found=f"columns of {frame.columns.nlevels} levels",
            expected=f"the columns {', '.join(_VALUES)} and a date",
            remedy="Select one market, such as frame['BTC-USD'] or frame.xs('BTC-USD', axis=1, level=1).",
        )
    names: dict[str, list[Any]] = {}
    for name in frame.columns:
        names.setdefault(_plain(name), []).append(name)
    time = next((name for name in TIME_COLUMNS if name in names), None)
    wanted = _VALUES if time is None else (time, *_VALUES)
    wrong = [name for name in wanted if len(names.get(name, ())) != 1]
    if wrong:
        twice = [name for name in wrong if name in names]
        raise DataError(
            attempted,
            found=f"{', '.join(twice)} twice" if twice else f"no column {', '.join(wrong)}",
            expected=f"the columns {', '.join(_VALUES)} and a date",
        )
    if time is not None:
        moments = frame[names[time][0]]
    elif frame.index.dtype.kind == "M" or _plain(frame.index.name) in TIME_COLUMNS:
        moments = frame.index.to_series()
    else:
        raise DataError(
            attempted,
            found=f"no column of dates, and an index of type {frame.index.dtype}",
            expected=f"one of the columns {', '.join(TIME_COLUMNS)}, or an index of dates",
        )
    return _times(moments, attempted), {name: _numbers(frame[names[name][0]], name, attempted) for name in _VALUES}


def _plain(name: object) -> str:
    """Normalise a column's name to lower case with underscores.

    >>> _plain("Open time")
    'open_time'
    """
    return re.sub(r"\s+", "_", str(name).strip().lower())


def _times(moments: pd.Series[Any], attempted: str) -> IntArray:
    import pandas as pd

    kind = pd.api.types
    if isinstance(moments.dtype, pd.PeriodDtype):
        moments = moments.dt.to_timestamp()
    if kind.is_bool_dtype(moments.dtype) or kind.is_timedelta64_dtype(moments.dtype):
        raise DataError(attempted, found=f"times of type {moments.dtype}", expected="dates, or numbers since 1970")
    if not kind.is_numeric_dtype(moments.dtype) and moments.dtype.kind != "M":
        numbers = pd.to_numeric(moments, errors="coerce")
        if len(moments) and bool((numbers.notna() | moments.isna()).all()):
            moments = numbers  # integers, or texts of them
    if kind.is_integer_dtype(moments.dtype):
        known = moments.notna().to_numpy()
        return np.where(known, milliseconds(moments.fillna(0).to_numpy(np.int64)), NO_TIME)
    if kind.is_float_dtype(moments.dtype):
        values = moments.to_numpy(np.float64, na_value=np.nan)
        finite = np.isfinite(values) & (np.abs(values) < 2.0**62)
        return np.where(finite, milliseconds(np.where(finite, values, 0).astype(np.int64)), NO_TIME)
    try:
        dates = moments if moments.dtype.kind == "M" else pd.to_datetime(moments, utc=True, format="ISO8601")
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError(
            attempted,
            found=f"a column of times with {' '.join(str(error).split())[:120]}",
            expected="dates, ISO texts in UTC, or numbers of seconds or milliseconds since 1970",
        ) from error
    if dates.dtype.kind != "M":
        raise DataError(attempted, found=f"times of type {dates.dtype}", expected="dates, or numbers since 1970")
    if dates.dt.tz is not None:
        dates = dates.dt.tz_convert("UTC").dt.tz_localize(None)
    return np.asarray(dates.to_numpy().astype("datetime64[ms]").astype(np.int64))


def _numbers(values: pd.Series[Any], name: str, attempted: str) -> FloatArray:
    if values.dtype.kind in "cbmM":
        raise DataError(attempted, found=f"the column {name} of type {values.dtype}", expected="numbers")
    try:
        return np.asarray(values.to_numpy(np.float64, na_value=np.nan))
    except (ValueError, TypeError) as error:
        raise DataError(attempted, found=f"the column {name} with {error}", expected="numbers") from error
