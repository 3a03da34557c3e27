"""Candle columns of a pandas frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from quorate.core.errors import ArgumentError, DataError
from quorate.core.tables.candle_rows import CandleRows, candle_rows
from quorate.core.tables.table import RawTable, TableColumn, text_column
from quorate.core.tables.unclear import UnclearTableError
from quorate.core.types.arrays import FloatArray, IntArray

if TYPE_CHECKING:
    import pandas as pd

# What to do about a frame that leaves something open.
_REMEDIES = {
    "columns": "Rename the columns, such as frame.rename(columns={'Zeit': 'date'}).",
    "download": "Add the missing columns; without them there are no features and no fills.",
    "date_format": "Convert the column of dates first: pandas.to_datetime(column, dayfirst=True), or dayfirst=False.",
    "decimal": "Convert the columns of numbers first, such as column.str.replace(',', '').astype(float).",
}


def frame_columns(frame: pd.DataFrame, attempted: str) -> tuple[IntArray, dict[str, FloatArray]]:
    """Read open times and candle columns of a frame of one market, in the order of its rows, unchecked.

    Args:
        frame: columns under any of the names that files may have (`core.tables.column_names`), in any case, also with a
            level of tickers; open times as a column or as the index: dates with a time zone, dates without one (UTC),
            texts, or numbers since 1970 in s, ms, us or ns, with the unit from the magnitude.
        attempted: the action, for errors.

    Returns:
        (n,) int64 ms UTC, `NO_TIME` where a row has no time; name -> (n,) float64, NaN where a row has no value.

    Raises:
        ArgumentError: not a pandas frame.
        DataError: a column is missing, there twice or of another type; or the frame is of several markets.
    """
    parts = frame_rows(frame, attempted)
    if len(parts) > 1:
        names = ", ".join(str(part.symbol) for part in parts[:5])
        raise DataError(
            attempted,
            found=f"rows of {len(parts)} markets: {names}",
            expected="a frame of one market",
            remedy="Select one of them, such as frame[frame['symbol'] == 'BTC/USDT'], or frame.xs('BTC-USD', axis=1, "
            "level=1) where the columns have two levels.",
        )
    return parts[0].time, parts[0].values


def frame_rows(frame: pd.DataFrame, attempted: str) -> tuple[CandleRows, ...]:
    """Read a frame, as `frame_columns`; one result per market that it names."""
    # Known without pandas, which may not be installed where no frame can be made.
    if not hasattr(frame, "columns") or not hasattr(frame, "index"):
        raise ArgumentError(
            attempted,
            found=f"`frame` of type {type(frame).__name__}",
            expected="a pandas frame",
            remedy="Convert it with to_pandas()." if hasattr(frame, "to_pandas") else "",
        )
    import pandas as pd

    columns = []
    for level in range(frame.index.nlevels):
        index = frame.index.get_level_values(level)
        if not (isinstance(frame.index, pd.RangeIndex) and frame.index.name is None):
            columns.append(_column((str(index.name or ""),), index.to_series(index=range(len(index))), attempted))
    numbered = isinstance(frame.columns, pd.RangeIndex)
    for place, name in enumerate(frame.columns):
        levels = name if isinstance(name, tuple) else (name,)
        heads = () if numbered else tuple("" if level is None else str(level) for level in levels)
        columns.append(_column(heads, frame.iloc[:, place], attempted))
    table = RawTable(tuple(columns), synthetic=frame.attrs.get("synthetic") is True)
    try:
        return candle_rows(table, attempted)
    except UnclearTableError as error:
        option = error.questions[0].option if error.questions else ""
        raise DataError(
            attempted, found=error.found, expected=error.expected, remedy=_REMEDIES.get(option, error.remedy)
        ) from error


def _column(heads: tuple[str, ...], values: pd.Series[Any], attempted: str) -> TableColumn:
    import pandas as pd

    kind = pd.api.types
    if isinstance(values.dtype, pd.PeriodDtype):
        values = values.dt.to_timestamp()
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    if values.dtype.kind == "M" or isinstance(values.dtype, pd.DatetimeTZDtype):
        zoned = values.dt.tz is not None
        plain = values.dt.tz_convert("UTC").dt.tz_localize(None) if zoned else values
        return TableColumn(heads, plain.to_numpy().astype("datetime64[ms]"), zoned)
    if kind.is_bool_dtype(values.dtype) or kind.is_timedelta64_dtype(values.dtype):
        return TableColumn(heads, values.to_numpy(np.dtype("bool") if values.dtype.kind == "b" else None))
    if kind.is_integer_dtype(values.dtype):
        if bool(values.notna().all()):
            return TableColumn(heads, values.to_numpy(np.int64))
        return TableColumn(heads, values.to_numpy(np.float64, na_value=np.nan))
    if kind.is_float_dtype(values.dtype):
        return TableColumn(heads, values.to_numpy(np.float64, na_value=np.nan))
    inferred = kind.infer_dtype(values, skipna=True)
    if inferred in ("integer", "floating", "mixed-integer-float", "decimal"):
        numbers = pd.to_numeric(values, errors="coerce")
        return _column(heads, numbers if numbers.dtype != object else numbers.astype(float), attempted)
    if inferred in ("datetime", "datetime64", "date"):
        zoned = any(getattr(value, "tzinfo", None) is not None for value in values if value is not None)
        try:
            dates = pd.to_datetime(values, utc=True)
        except (ValueError, TypeError, OverflowError) as error:
            raise DataError(
                attempted, found=f"the column {heads[-1]} with {' '.join(str(error).split())[:120]}", expected="dates"
            ) from error
        return TableColumn(heads, dates.dt.tz_localize(None).to_numpy().astype("datetime64[ms]"), zoned)
    return text_column(
        heads, [None if there else str(value) for value, there in zip(values, values.isna(), strict=True)]
    )
