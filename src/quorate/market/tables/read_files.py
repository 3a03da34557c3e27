"""Rows of one file of any program, or what has to be answered first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from quorate.core.errors import DataError
from quorate.core.tables import CandleRows, OpenQuestion, RawTable, ReadOptions, UnclearTableError, candle_rows
from quorate.core.tables.candle_rows import open_times
from quorate.core.types import CANDLE_COLUMNS
from quorate.market.columns import Columns
from quorate.market.tables.command_line import ImportOptions
from quorate.market.tables.readers import read_tables


@dataclass(frozen=True, slots=True, eq=False)
class ReadRows:
    """Rows of one market in a file.

    Attributes:
        rows: the rows.
        name: of the sheet or the archive's member.
        above: lines above the header.
    """

    rows: CandleRows
    name: str = ""
    above: tuple[str, ...] = ()

    @property
    def columns(self) -> Columns:
        """The rows as columns."""
        return rows_columns(self.rows)


@dataclass(frozen=True, slots=True, eq=False)
class ReadFile:
    """What was read from a file.

    Attributes:
        parts: one result per market and table; with questions, as if these were answered so.
        questions: what has to be answered; the rows are not to be used before.
        span: first and last open time in ms UTC, where columns are missing.
        missing: why the rows are no candles; None if they are.
    """

    parts: tuple[ReadRows, ...]
    questions: tuple[OpenQuestion, ...] = ()
    span: tuple[int, int] | None = None
    missing: UnclearTableError | None = None


def read_file(path: Path, options: ImportOptions, attempted: str, *, market: str = "", volume: bool = True) -> ReadFile:
    """Read the candles of a file.

    Args:
        path: the file.
        options: of the user.
        attempted: the action, for errors.
        market: its symbol, where it is known.
        volume: whether a volume is needed.

    Raises:
        DataError: the file cannot be read, or values are no dates or numbers.
        ArgumentError: columns or a zone that are not there.
    """
    tables = read_tables(path, everything=bool(options.read.columns))
    parts: list[ReadRows] = []
    questions: list[OpenQuestion] = []
    missing: list[tuple[UnclearTableError, RawTable]] = []
    for table in tables:
        read = options
        while True:
            try:
                rows = candle_rows(table, attempted, read.read, market=market, volume=volume)
            except UnclearTableError as error:
                answerable = [each for each in error.questions if each.answer and "..." not in each.answer]
                new = [each for each in answerable if each.option not in {known.option for known in questions}]
                if not new:
                    missing.append((error, table))
                    break
                questions += new
                for question in new:
                    read = read.answered(question.option, question.answer)
                continue
            parts += [ReadRows(each, table.name, table.above) for each in rows]
            break
    if missing and not parts:
        reason, table = missing[0]
        return ReadFile((), tuple(questions) or reason.questions, _span(table, options.read, attempted), reason)
    return ReadFile(tuple(parts), tuple(questions))


def rows_columns(rows: CandleRows) -> Columns:
    """Candle rows as columns."""
    return Columns(rows.time, **{name: rows.values[name] for name in CANDLE_COLUMNS}, synthetic=rows.synthetic)


def _span(table: RawTable, options: ReadOptions, attempted: str) -> tuple[int, int] | None:
    try:
        time = open_times(table, attempted, options)
    except DataError:  # the dates are no dates either: the columns are the first thing to be said
        return None
    return None if time is None or not len(time) else (int(time.min()), int(time.max()))
