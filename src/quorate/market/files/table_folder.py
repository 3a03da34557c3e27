"""CSV and Parquet tables of candles: archives published by exchanges, and files of other programs."""

from __future__ import annotations

import csv
import io
import lzma
import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

from quorate.core.clock import now_ms, timeframe_ms
from quorate.core.errors import DataError, TooLittleHistoryError
from quorate.core.types import CANDLE_COLUMNS, Candles, Funding
from quorate.market.columns import Columns, join
from quorate.market.files.folders import files_below, require_folder
from quorate.market.files.formats import DATE, FOREIGN, MOST_BYTES, inflate, read_bytes, table_columns
from quorate.market.files.names import MarketFile, is_perpetual
from quorate.market.files.quarantine import SUFFIX, quarantine
from quorate.market.files.spellings import same_market, same_name
from quorate.market.files.table_names import TABLE_FORMATS, parse_table, table_ending
from quorate.market.quality.candle_checks import check_candles
from quorate.market.source import one_market, unknown_market

# Names of the open time's column; the first one found is used.
_DATES = ("open_time", DATE, "time", "timestamp", "datetime", "unix")

#: Names of columns of symbols in files of other programs, in lower case.
FILE_SYMBOL_COLUMNS = ("symbol", "pair", "ticker", "instrument_id", "product_id", "<ticker>")

# Errors of Arrow for values that are no numbers, and for rows of other lengths.
_NOT_A_NUMBER = re.compile(r"CSV conversion error to double: invalid value '([^']*)'")
_TOO_MANY = re.compile(r"Expected \d+ columns, got \d+")

_UNREADABLE = (
    *FOREIGN,
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    lzma.LZMAError,
    struct.error,
)


def read_table(path: Path, symbol: str | None = None) -> Columns:
    """Read the candle rows of one CSV (plain, gzipped or zipped) or Parquet table, unchecked.

    A CSV has a header, with names in any case and the time under a usual name, or its first six columns are open time,
    open, high, low, close and volume, as in the exchanges' archives. Times are ISO dates or integers in s, ms, us or
    ns; volume is in base units.

    Args:
        path: the table.
        symbol: its market; a column of symbols must name the same one.

    Raises:
        DataError: the file cannot be read, is of another format, or lacks columns; or its rows name another market.
    """
    ending = table_ending(path)
    if ending not in _READERS:
        expected = f"one of {', '.join(TABLE_FORMATS)}"
        raise DataError(f"read {path}", found=f"the ending {path.suffix!r}", expected=expected)
    content = read_bytes(path)
    try:
        tables = list(_READERS[ending](content))
    except _UNREADABLE as error:
        raise _unreadable(path, ending, " ".join(str(error).split())[:200]) from error
    for table in tables:
        _require_market(table, path, symbol)
    return join([table_columns(_named(table, path.name), path.name) for table in tables])


class TableFolder:
    """A `CandleSource` for a folder of tables and its subfolders.

    Files of one market, such as monthly ones, are read together: equal rows are dropped, contradicting rows are
    quarantined.

    Args:
        path: the folder.
        perpetual: whether files are perpetuals where neither name nor folder states it.
        clock: returns the current time in ms UTC.

    Raises:
        DataError: no such folder, or it cannot be read.
    """

    def __init__(self, path: Path | str, *, perpetual: bool | None = None, clock: Callable[[], int] = now_ms) -> None:
        self.path = require_folder(Path(path))
        self._perpetual, self._clock = perpetual, clock

    def __repr__(self) -> str:
        return f"TableFolder({str(self.path)!r})"

    def files(self) -> tuple[MarketFile, ...]:
        """The tables whose market is known, by symbol, timeframe and path."""
        found = (parse_table(path, perpetual=self._perpetual_of(path)) for path in self._tables())
        return tuple(sorted(file for file in found if file is not None and file.kind in ("spot", "futures")))

    def symbols(self, timeframe: str, perpetual: bool | None = None) -> tuple[str, ...]:
        """Markets with candles of this timeframe, sorted: all, only perpetuals (True), or only others (False)."""
        timeframe_ms(timeframe)
        found = {file.symbol for file in self.files() if file.timeframe == timeframe}
        twice = same_name(sorted(found))
        if twice is not None:
            raise one_market(f"list the markets of {self.path}", *twice)
        return tuple(sorted(symbol for symbol in found if perpetual in (None, is_perpetual(symbol))))

    def candles(self, symbol: str, timeframe: str, start: int | None = None, end: int | None = None) -> Candles:
        """The market's closed, checked candles; errors as `market.load_candles`."""
        timeframe_ms(timeframe)
        files = self.files()
        mine = [file.path for file in files if (file.symbol, file.timeframe) == (symbol, timeframe)]
        if not mine:
            raise unknown_market(self.path, symbol, timeframe, [(file.symbol, file.timeframe) for file in files])
        names = ", ".join(str(path) for path in mine[:3]) + (" ..." if len(mine) > 3 else "")
        checked = check_candles(join([read_table(path, symbol) for path in mine]), timeframe, self._clock())
        checked.report.require(names)
        if len(checked.quarantined):
            quarantine(mine[0], checked.quarantined, mine[0].name)
        if not checked.report.kept:
            raise TooLittleHistoryError(
                f"read candles of {symbol}",
                found=f"no closed candle in the {checked.report.rows} rows of {names}",
                expected="at least one",
                remedy="Download the market's history.",
            )
        arrays = {name: getattr(checked.kept, name) for name in ("time", *CANDLE_COLUMNS)}
        return Candles(symbol, timeframe, **arrays, synthetic=checked.kept.synthetic).between(start, end)

    def funding(self, symbol: str, start: int | None = None, end: int | None = None) -> Funding | None:
        """None: the folder has no settlements."""
        self._require(symbol)
        del start, end
        return None

    def mark(self, symbol: str, timeframe: str, start: int | None = None, end: int | None = None) -> Candles | None:
        """None: the folder has no mark prices."""
        timeframe_ms(timeframe)
        self._require(symbol)
        del start, end
        return None

    def _tables(self) -> list[Path]:
        """The tables in the folder and its subfolders, by path, without quarantine files."""
        return files_below(self.path, lambda path: path.name.endswith(TABLE_FORMATS) and not path.name.endswith(SUFFIX))

    def _require(self, symbol: str) -> None:
        files = self.files()
        if not any(file.symbol == symbol for file in files):
            raise unknown_market(self.path, symbol, None, [(file.symbol, file.timeframe) for file in files])

    def _perpetual_of(self, path: Path) -> bool | None:
        """The folder's setting, only where the file itself does not state it."""
        return None if parse_table(path) is not None else self._perpetual


def _unreadable(path: Path, ending: str, found: str) -> DataError:
    value = _NOT_A_NUMBER.search(found)
    if value is not None:
        return DataError(
            f"read {path}",
            found=f"the invalid value {value[1]!r} in a column of numbers",
            expected="numbers such as 1234.56: a point before the decimals, and nothing between thousands",
            remedy="Change the format of numbers in the program that wrote the table, and save it again.",
        )
    if _TOO_MANY.search(found):
        return DataError(
            f"read {path}",
            found=found,
            expected="as many values in every row as columns in the header",
            remedy="If the decimals are written with a comma, save the table with points, or with semicolons between "
            "values and points in numbers.",
        )
    return DataError(
        f"read {path}",
        found=found,
        expected=f"a {ending[1:]} table of candles",
        remedy="Download the file again.",
    )


def _require_market(table: pa.Table, path: Path, symbol: str | None) -> None:
    """Check that the rows are of one market, and of the one they are read for.

    Raises:
        DataError: they name several markets, or another one.
    """
    column = next((name for name in table.column_names if _plain(name) in FILE_SYMBOL_COLUMNS), None)
    if column is None:
        return
    values = table.column(column).unique().to_pylist()
    names = sorted({value.strip() for value in values if isinstance(value, str) and value.strip()})
    wrong = [name for name in names if symbol is not None and not same_market(name, symbol)]
    if len(names) > 1 and (wrong or symbol is None):
        raise DataError(
            f"read {path}",
            found=f"rows of {len(names)} markets in the column {column}: {', '.join(names[:5])}",
            expected="a table of one market",
            remedy="Save the rows of each market as a file of their own.",
        )
    if wrong:
        raise DataError(
            f"read {path} as {symbol}",
            found=f"{wrong[0]} in the column {column}",
            expected=f"rows of {symbol}",
            remedy="Give the `symbol` of these rows, or remove the column if it names the same market in another way.",
        )


def _read_csv(content: bytes) -> Iterator[pa.Table]:
    head = content[:65_536].decode("utf-8-sig", errors="replace").splitlines()
    if not head:
        raise ValueError("no rows")
    delimiter = max(",;\t", key=head[0].count)
    first = next(csv.reader([head[0]], delimiter=delimiter, skipinitialspace=True), [])
    headless = bool(first) and first[0].strip().lstrip("-").isdigit()
    if headless and len(first) < 1 + len(CANDLE_COLUMNS):
        raise ValueError(f"rows of {len(first)} values and no header")
    rest = [f"column {number}" for number in range(6, len(first))]
    names = [DATE, *CANDLE_COLUMNS, *rest] if headless else [_plain(name) for name in first]
    types = {name: pa.float64() for name in CANDLE_COLUMNS} | {name: pa.string() for name in FILE_SYMBOL_COLUMNS}
    # A copy that Arrow owns, read without threads. Threads of Arrow that are still running when an error ends the
    # process must not release an object of Python: it aborts ("terminate called ...", apache/arrow#34314).
    with pa.BufferOutputStream() as copy:
        copy.write(content)
        owned = copy.getvalue()
    from pyarrow import csv as tables

    yield tables.read_csv(
        pa.BufferReader(owned),
        read_options=tables.ReadOptions(column_names=names, skip_rows=0 if headless else 1, use_threads=False),
        parse_options=tables.ParseOptions(delimiter=delimiter),
        convert_options=tables.ConvertOptions(
            column_types=types,
            include_columns=[name for name in names if name in (*_DATES, *CANDLE_COLUMNS, *FILE_SYMBOL_COLUMNS)],
        ),
    )


def _read_csv_gz(content: bytes) -> Iterator[pa.Table]:
    yield from _read_csv(inflate(content))


def _read_zip(content: bytes) -> Iterator[pa.Table]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [member for member in archive.infolist() if member.filename.lower().endswith(".csv")]
        if not members:
            raise ValueError("no CSV file in the zip")
        if sum(member.file_size for member in members) > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES} bytes in the zip")
        for member in members:
            yield from _read_csv(archive.read(member))


def _read_parquet(content: bytes) -> Iterator[pa.Table]:
    from pyarrow import parquet

    table = parquet.ParquetFile(pa.BufferReader(content)).read()
    table.validate()
    yield table


_READERS: dict[str, Callable[[bytes], Iterator[pa.Table]]] = {
    ".csv": _read_csv,
    ".csv.gz": _read_csv_gz,
    ".zip": _read_zip,
    ".parquet": _read_parquet,
}


def _named(table: pa.Table, source: str) -> pa.Table:
    """Rename the columns to lower case, and the time column to `date`."""
    names = [_plain(name) for name in table.column_names]
    date = next((name for name in _DATES if name in names), None)
    if date is None:
        raise DataError(
            f"read {source}",
            found=f"the columns {', '.join(names[:12]) or 'none'}",
            expected=f"a time column, one of {', '.join(_DATES)}",
        )
    # Another column called date is renamed, so that `date` is the open time.
    taken = [name if name != DATE or date == DATE else f"other {DATE}" for name in names]
    return table.rename_columns([DATE if name == date else name for name in taken])


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_")
