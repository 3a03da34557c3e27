"""Rows of candles from a table of any program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from quorate.core.errors import DataError
from quorate.core.tables.column_order import ordered
from quorate.core.tables.columns import Layout, find_columns, time_places
from quorate.core.tables.number_texts import decimal_mark, is_number_text, parse_numbers
from quorate.core.tables.table import RawTable, TableColumn
from quorate.core.tables.time_columns import Times, is_clock, is_time, read_times
from quorate.core.tables.unclear import OpenQuestion, UnclearTableError
from quorate.core.tables.zones import to_utc, zone_of
from quorate.core.types.arrays import BoolArray, FloatArray, IntArray
from quorate.core.types.times import NO_TIME


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a table does not say by itself.

    Attributes:
        columns: date, open, high, low, close, volume, symbol or timeframe -> header or number of a column.
        tz: zone of times without one; None for UTC.
        date_format: dmy, mdy, ymd, or a format of `datetime.strptime`; None to decide it by the column.
        decimal: "." or ","; None to decide it by all numbers of the table.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    tz: str | None = None
    date_format: str | None = None
    decimal: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class CandleRows:
    """Rows of one market in file order, unchecked.

    Attributes:
        symbol: as the table names it; None if it does not.
        timeframe: likewise.
        time: (n,) int64 open times in ms UTC; `NO_TIME` where a row has none.
        values: open, high, low, close, volume -> (n,) float64; NaN where a row has none.
        naive: the table does not say the zone of its times, which are read as UTC or in the zone of the options.
        notes: what was decided that a user may want to know.
        synthetic: the table is marked as synthetic.
    """

    symbol: str | None
    timeframe: str | None
    time: IntArray
    values: dict[str, FloatArray]
    naive: bool = False
    notes: tuple[str, ...] = ()
    synthetic: bool = False

    def take(self, rows: BoolArray, symbol: str | None) -> CandleRows:
        """Some of the rows, of a market."""
        return replace(
            self, symbol=symbol, time=self.time[rows], values={name: each[rows] for name, each in self.values.items()}
        )


def candle_rows(
    table: RawTable, attempted: str, options: ReadOptions | None = None, *, market: str = "", volume: bool = True
) -> tuple[CandleRows, ...]:
    """Read candles from a table.

    Columns are found by their names in many languages, or by their order without a header. Which mark stands before
    decimals, and whether days or months come first, is decided by whole columns.

    Args:
        table: the table.
        attempted: the action, for errors.
        options: what to take as given.
        market: the symbol, where it is known.
        volume: whether a volume is needed; otherwise it is 0.

    Returns:
        One result per market that the table names.

    Raises:
        UnclearTableError: columns that are not found, or rows that can be read in several ways.
        DataError: values that are no dates or numbers.
        ArgumentError: options that do not fit the table.
    """
    options = options or ReadOptions()
    zone = None if options.tz is None else zone_of(options.tz)
    layout = find_columns(table, attempted, named=options.columns, market=market, volume=volume)
    times = read_times(table, layout.time, attempted, options.date_format)
    marked = _mark(table, layout, options)
    questions = [
        question for question in (times.question, marked if isinstance(marked, OpenQuestion) else None) if question
    ]
    if questions:
        raise UnclearTableError.of(attempted, questions)
    notes = _notes(layout, times, options)
    frame = _timeframe(table, layout, attempted)
    found: list[CandleRows] = []
    for name, places in layout.markets.items():
        more: tuple[str, ...] = ()
        if layout.loose:
            columns = [_values(table, place, str(marked), attempted) for place in layout.loose]
            values, more = ordered(columns)
        else:
            values = {role: _values(table, places[role], str(marked), attempted) for role in places}
        if layout.money:
            with np.errstate(divide="ignore", invalid="ignore"):
                values["volume"] = values["volume"] / values["close"]
        values.setdefault("volume", np.zeros(len(table)))
        rows = CandleRows(name, frame, times.time, values, not times.zoned, (*notes, *more), table.synthetic)
        parts = [rows] if layout.symbol is None else _by_symbol(rows, table.columns[layout.symbol])
        found += [_without_empty(part) for part in parts]
    if times.zoned or zone is None:
        return tuple(found)
    # Market by market, so that an hour that is there twice is there twice in each of them.
    return tuple(replace(rows, time=to_utc(rows.time, zone, attempted)) for rows in found)


def open_times(table: RawTable, attempted: str, options: ReadOptions | None = None) -> IntArray | None:
    """The open times of a table that lacks other columns, in file order; None if they are not known."""
    options = options or ReadOptions()
    places = time_places(table, options.columns, attempted)
    if not places:
        return None
    times = read_times(table, places, attempted, options.date_format)
    return None if times.question else times.time[times.time != NO_TIME]


def _mark(table: RawTable, layout: Layout, options: ReadOptions) -> str | OpenQuestion:
    """The character before the decimals; "" if no column of numbers is text; or what is to be asked."""
    places = {place for places in layout.markets.values() for place in places.values()}
    columns = [table.columns[place] for place in places]
    if options.decimal is not None:
        return options.decimal
    if not any(column.kind == "O" for column in columns) and (
        table.texts is None or not _suspicious(table, layout, columns)
    ):
        return ""
    source = table if table.texts is None else table.texts()
    texts = [text for place in places if source.columns[place].kind == "O" for text in source.columns[place].values]
    texts += [text for column in _others(table, layout) for text in column.examples(50) if is_number_text(text)]
    mark = decimal_mark(texts)
    example = next((text for text in texts if text and ("," in text or "." in text)), "")
    if mark == "!":
        return OpenQuestion(
            f"numbers such as {example!r}, with decimal commas and with decimal points", "decimal", ".", ","
        )
    if mark == "?," or (mark == "?." and not table.comma):
        found = (
            f"numbers such as {example!r}, whose {'comma' if mark == '?,' else 'point'} can be decimal or of thousands"
        )
        return OpenQuestion(found, "decimal", ",", ".")
    return mark.lstrip("?") or "."


def _suspicious(table: RawTable, layout: Layout, columns: list[TableColumn]) -> bool:
    """Whether points that were read as decimal ones could stand between thousands: all numbers have 3 decimals."""
    if any("," in text and is_number_text(text) for column in _others(table, layout) for text in column.examples(50)):
        return True
    floats = [column.values for column in columns if column.kind == "f"]
    if table.comma or not floats:
        return False
    known = np.concatenate([values[np.isfinite(values)] for values in floats])
    thousandths = np.round(known * 1000)
    return bool(len(known)) and bool(
        np.isclose(known * 1000, thousandths, rtol=0, atol=1e-6).all() and (known >= 1).all()
    )


def _others(table: RawTable, layout: Layout) -> list[TableColumn]:
    """Columns of texts that candles do not need, which show how the table writes numbers: changes in percent, say."""
    used = {*layout.time, layout.symbol, layout.timeframe}
    used |= {place for places in layout.markets.values() for place in places.values()}
    columns = (column for place, column in enumerate(table.columns) if place not in used and column.kind == "O")
    return [column for column in columns if not is_time(column) and not is_clock(column)]


def _values(table: RawTable, place: int, mark: str, attempted: str) -> FloatArray:
    """One column of numbers."""
    column = table.columns[place]
    if mark and table.texts is not None:
        column = table.texts().columns[place]
    if column.kind in "fi":
        return column.values.astype(np.float64)
    if column.kind != "O":
        raise DataError(attempted, found=f"the column {column.name} of type {column.values.dtype}", expected="numbers")
    values, wrong = parse_numbers(column.values, mark or ".")
    if wrong is not None:
        raise DataError(
            attempted,
            found=f"the invalid value {str(column.values[wrong])[:60]!r} in row {wrong} of the column "
            f"{column.name or place + 1}",
            expected="a number",
            remedy="Correct or remove that row, and run the same command again.",
        )
    return values


def _notes(layout: Layout, times: Times, options: ReadOptions) -> tuple[str, ...]:
    found = []
    if options.tz is not None and times.zoned:
        found.append(f"the times state that they are in UTC: `tz` {options.tz} is not applied")
    if layout.money:
        found.append(f"the volume {layout.money!r} is in the quote currency: divided by the close")
    if layout.ticks:
        found.append("the volume is taken as MetaTrader's, which counts price changes, not coins")
    return tuple(found)


def _timeframe(table: RawTable, layout: Layout, attempted: str) -> str | None:
    if layout.timeframe is None:
        return None
    values = {str(value).strip() for value in table.columns[layout.timeframe].values if value not in (None, "")}
    if len(values) > 1:
        raise DataError(
            attempted,
            found=f"bars of {len(values)} lengths in the column {table.columns[layout.timeframe].name}: "
            f"{', '.join(sorted(values)[:5])}",
            expected="bars of one length",
            remedy="Save the bars of each length as a file of their own.",
        )
    return values.pop() if values else None


def _by_symbol(rows: CandleRows, column: TableColumn) -> Iterator[CandleRows]:
    """The rows of each symbol, in the order of their first row."""
    names = np.array([str(value or "").strip() for value in column.values], dtype=object)
    found = [name for name in dict.fromkeys(names.tolist()) if name]
    if len(found) < 2:  # rows without a name are of the only market
        yield rows if not found else replace(rows, symbol=found[0])
        return
    for name in found:
        yield rows.take(names == name, name)


def _without_empty(rows: CandleRows) -> CandleRows:
    """Without the rows that have neither a time nor a value, such as those below the last one of a sheet."""
    empty = (rows.time == NO_TIME) & np.logical_and.reduce([np.isnan(each) for each in rows.values.values()])
    return rows.take(~empty, rows.symbol) if empty.any() else rows
