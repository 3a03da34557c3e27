"""Open times of a table's columns: dates, numbers since 1970, days of spreadsheets, texts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from quorate.core.errors import DataError
from quorate.core.tables.date_texts import clock_ms, parse_dates
from quorate.core.tables.table import RawTable, TableColumn
from quorate.core.tables.unclear import OpenQuestion
from quorate.core.types.arrays import IntArray
from quorate.core.types.times import NO_TIME, milliseconds

# Spreadsheets count days from this one.
_SHEET_EPOCH_DAYS = 25_569
# Days of spreadsheets from 1996 to 2119, and seconds since 1970 from 1973 on.
_SHEET_DAYS, _LEAST_EPOCH = (35_000, 80_000), 10**8
_SCIENTIFIC = re.compile(r"\s*\d(?:[.,]\d+)?[eE]\+?\d+\s*")


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """Open times.

    Attributes:
        time: (n,) int64 ms; `NO_TIME` where there is none.
        zoned: they are in UTC; otherwise the table does not say their zone.
        question: what has to be answered first; None for nothing.
    """

    time: IntArray
    zoned: bool
    question: OpenQuestion | None = None


def is_clock(column: TableColumn) -> bool:
    """Whether a column holds times of day."""
    if column.kind == "O":
        texts = column.examples(5)
        return bool(texts) and all(clock_ms(text) is not None and not text.strip().isdecimal() for text in texts)
    if column.kind == "i" and len(column.values):
        # 0, 100, ... 2300, or with seconds: times that lost their leading zeros.
        return bool(_clock_numbers(column.values)[1]) and column.name.strip("<> ").lower() == "time"
    return column.kind == "m"


def is_time(column: TableColumn, *, certain: bool = False) -> bool:
    """Whether a column holds points in time; `certain` for those that state their zone, as numbers since 1970 do."""
    if column.kind == "M":
        return column.zoned or not certain
    values: Any = column.values
    if column.kind == "O":
        texts = column.examples(5)
        if not texts:
            return False
        if all(re.fullmatch(r"\d+(?:\.\d+)?", text.strip()) for text in texts):
            values = np.array([float(text) for text in texts])
        else:
            parsed = parse_dates(texts)
            return parsed.wrong is None and (bool(parsed.zoned.all()) or not certain)
    elif column.kind not in "fi" or not len(values):
        return False
    known = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    if not len(known):
        return False
    low, high = float(known.min()), float(known.max())
    if _is_compact(known) or _SHEET_DAYS[0] <= low <= high <= _SHEET_DAYS[1]:
        return not certain
    return low >= _LEAST_EPOCH


def read_times(table: RawTable, places: tuple[int, ...], attempted: str, order: str | None) -> Times:
    """Read the open times of one column, or of two: date and time of day.

    Args:
        table: the table.
        places: of the columns.
        attempted: the action, for errors.
        order: of days and months, or a format; None to decide it by the column.

    Raises:
        DataError: texts that are no dates, or numbers that a spreadsheet has rounded.
    """
    column = table.columns[places[0]]
    if order is not None and "%" in order and table.texts is not None:
        column = table.texts().columns[places[0]]
    found = _one_column(table, column, places[0], attempted, order)
    if len(places) == 1 or found.question is not None:
        return found
    clock = _clock(table, places[1], attempted)
    known = (found.time != NO_TIME) & (clock != NO_TIME)
    return Times(np.where(known, found.time + clock, NO_TIME), found.zoned)


def _one_column(table: RawTable, column: TableColumn, place: int, attempted: str, order: str | None) -> Times:
    if column.kind == "M":
        return Times(column.values.astype("datetime64[ms]").astype(np.int64), column.zoned)
    if column.kind == "O":
        texts = [None if value is None or not str(value).strip() else str(value).strip() for value in column.values]
        present = [text for text in texts if text is not None]
        if order is None or "%" not in order:
            if any(_SCIENTIFIC.fullmatch(text) for text in present):
                return _scientific(texts, column.name, attempted)
            if present and all(re.fullmatch(r"-?\d+(?:[.,]\d+)?", text) for text in present):
                numbers = [np.nan if text is None else float(text.replace(",", ".")) for text in texts]
                whole = all(text is None or (text.lstrip("-").isdecimal() and len(text) < 19) for text in texts)
                if whole:
                    return _numbers(np.array([0 if text is None else int(text) for text in texts], np.int64), table)
                return _numbers(np.array(numbers), table)
        return _texts(texts, column.name, attempted, order)
    if column.kind == "f" and table.texts is not None:
        texts = list(table.texts().columns[place].values)
        if any(text and _SCIENTIFIC.fullmatch(text) for text in texts):
            return _scientific(texts, column.name, attempted)
    if column.kind in "fi":
        return _numbers(column.values, table)
    raise DataError(
        attempted,
        found=f"the column {column.name} of type {column.values.dtype}",
        expected="dates, or numbers since 1970",
    )


def _numbers(values: Any, table: RawTable) -> Times:
    """Numbers since 1970 in s, ms, us or ns; days of a spreadsheet; dates such as 20250501."""
    finite = np.isfinite(values) if values.dtype.kind == "f" else values != 0
    known = values[finite]
    if len(known) and _is_compact(known):
        texts = [str(int(value)) if there else None for value, there in zip(values, finite, strict=True)]
        return Times(_compact(texts), False)
    if len(known) and _SHEET_DAYS[0] <= known.min() and known.max() <= _SHEET_DAYS[1]:
        seconds = np.round((np.where(finite, values, 0) + table.epoch - _SHEET_EPOCH_DAYS) * 86_400)
        return Times(np.where(finite, seconds * 1000, NO_TIME).astype(np.int64), False)
    if values.dtype.kind == "f":
        sane = finite & (np.abs(np.where(finite, values, 0)) < 2.0**62)
        whole = np.where(sane, values, 0)
        # Seconds with decimals keep their milliseconds.
        whole = np.where(np.abs(whole) < 10**11, np.round(whole * 1000), whole)
        return Times(np.where(sane, milliseconds(whole.astype(np.int64)), NO_TIME), True)
    return Times(milliseconds(values), True)


def _scientific(texts: list[Any], name: str, attempted: str) -> Times:
    """Numbers such as 1.74606E+12, which are exact only if the spreadsheet has shown all their digits."""
    values = np.array([np.nan if not text else float(text.replace(",", ".")) for text in texts])
    values = np.where(np.abs(np.nan_to_num(values)) < 2.0**62, values, np.nan)
    known = values[np.isfinite(values)]
    time = milliseconds(known.astype(np.int64))
    if len(np.unique(time)) < len(time) or (time % 60_000).any():
        example = next(text for text in texts if text)
        same = int((values == float(example.replace(",", "."))).sum())
        raise DataError(
            attempted,
            found=f"times that a spreadsheet has rounded: {example.strip()} in the column {name} is {same} rows",
            expected="all digits of each time, such as 1746057600000",
            remedy="Import the file as it was before the spreadsheet saved it; or open that one there, format the "
            "column as a number without decimals, and save it again.",
        )
    full = np.where(np.isfinite(values), np.nan_to_num(values), 0).astype(np.int64)
    return Times(milliseconds(full), True)


def _texts(texts: list[str | None], name: str, attempted: str, order: str | None) -> Times:
    parsed = parse_dates(texts, order)
    if parsed.wrong is not None:
        raise DataError(
            attempted,
            found=f"{(texts[parsed.wrong] or '')[:60]!r} in row {parsed.wrong} of a column of times with the name "
            f"{name or '(none)'}",
            expected="dates" if order is None else f"dates as {order!r} says",
            remedy="Remove what is no date; or describe the dates with `date_format`, such as '%d/%m/%Y %H:%M'.",
        )
    given = np.array([text is not None for text in texts])
    if parsed.zoned.any() and not parsed.zoned[given].all():
        row = int(np.argmax(given & ~parsed.zoned))
        raise DataError(
            attempted,
            found=f"{texts[row]!r} without a time zone in row {row}, and others with one",
            expected="dates of one form",
        )
    question = None
    if parsed.unclear:
        example = next(text for text in texts if text)
        other = parse_dates(texts, "mdy").time
        first, second = ("mdy", "dmy") if _regular(other) > _regular(parsed.time) else ("dmy", "mdy")
        found = f"dates such as {example!r}, whose day and month can be either"
        question = OpenQuestion(found, "date_format", first, second)
    return Times(parsed.time, bool(parsed.zoned[given].all()) and bool(given.any()), question)


def _regular(time: IntArray) -> float:
    """Share of the most frequent distance between rows: large for the true order of days and months."""
    distances = np.diff(np.unique(time[time != NO_TIME]))
    return float(np.unique(distances, return_counts=True)[1].max() / len(distances)) if len(distances) else 0.0


def _clock(table: RawTable, place: int, attempted: str) -> IntArray:
    column = table.columns[place]
    if column.kind == "m":
        return column.values.astype("timedelta64[ms]").astype(np.int64)
    if column.kind == "i":
        return _clock_numbers(column.values)[0]
    found = [NO_TIME if not text else clock_ms(str(text)) for text in column.values]
    if None in found:
        row = found.index(None)
        raise DataError(
            attempted, found=f"{column.values[row]!r} in row {row} of the column {column.name}", expected="times of day"
        )
    return np.array(found, np.int64)


def _clock_numbers(values: IntArray) -> tuple[IntArray, bool]:
    """Times of day from numbers such as 2330 or 233000, and whether they all can be some."""
    long = values.max(initial=0) > 2359
    hours, minutes, seconds = (
        (values // 10_000, values // 100 % 100, values % 100) if long else (values // 100, values % 100, values * 0)
    )
    valid = (values >= 0) & (hours < 24) & (minutes < 60) & (seconds < 60)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000, bool(valid.all())


def _is_compact(values: Any) -> bool:
    """Whether numbers are dates such as 20250501, 202505012330 or 20250501233000."""
    if values.dtype.kind == "f" and ((np.abs(values) > 1e15) | (values % 1 != 0)).any():
        return False
    whole = values.astype(np.int64)
    for digits in (8, 12, 14):
        if whole.min() >= 19_900_101 * 10 ** (digits - 8) and whole.max() < 21_010_101 * 10 ** (digits - 8):
            days = whole // 10 ** (digits - 8)
            clock = whole % 10 ** (digits - 8) * (100 if digits == 12 else 1)
            month, day = days // 100 % 100, days % 100
            valid = (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
            valid &= (clock // 10_000 < 24) & (clock // 100 % 100 < 60) & (clock % 100 < 60)
            return bool(valid.all())
    return False


def _compact(texts: list[str | None]) -> IntArray:
    days = parse_dates([None if text is None else text[:8] for text in texts]).time
    clock = np.array([clock_ms(text[8:]) if text and text[8:] else 0 for text in texts], np.int64)
    return np.where(days == NO_TIME, NO_TIME, days + clock)
