"""Reading of Freqtrade's file formats: feather, parquet, JSON and gzipped JSON.

Files are read whole and not memory-mapped: Freqtrade rewrites its files in place, and a mapped file that shrinks kills
the process. Decompression takes far longer than the copy.
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.ipc

from quorate.core.errors import DataError
from quorate.core.regular_files import read_regular
from quorate.core.types import CANDLE_COLUMNS, FloatArray, IntArray
from quorate.core.types.times import NO_TIME, milliseconds
from quorate.core.untrusted_json import parse_json
from quorate.market.columns import Columns, FundingColumns
from quorate.market.files.names import FORMATS

#: Key of Quorate's metadata in a file's schema, and its value in synthetic files.
NOTE, SYNTHETIC_NOTE = b"quorate", b'{"synthetic": true}'

DATE = "date"

#: Column of the rate in funding files; older ones hold it as the open of a candle.
RATE_COLUMNS = ("funding_rate", "open")

#: Exceptions of the libraries for bytes of another format.
FOREIGN = (pa.ArrowException, OSError, ValueError, TypeError, OverflowError, RecursionError, EOFError, zlib.error)

#: Largest size of a decompressed file; ten years of minute candles are a quarter of it.
MOST_BYTES = 2**30

# Arrow's own pool keeps what it once had, 80 MiB after reading 100 markets of seven years, more with several threads.
_POOL = pa.system_memory_pool()

Number = TypeVar("Number", np.int64, np.float64)

_REMEDY = "Remove the file, and download or import the market again."


def read_columns(path: Path) -> Columns:
    """Read the candle rows of one file, unchecked.

    Raises:
        DataError: the file cannot be read, is of another format, or lacks columns.
    """
    return table_columns(_read_table(path, (DATE, *CANDLE_COLUMNS)), path.name)


def read_funding_columns(path: Path) -> FundingColumns:
    """Read the funding rows of one file of either layout, unchecked.

    Raises:
        DataError: the file cannot be read, is of another format, or lacks columns.
    """
    table = _read_table(path, (DATE, *RATE_COLUMNS))
    name = next((name for name in RATE_COLUMNS if name in table.column_names), RATE_COLUMNS[0])
    _require_once(table, (DATE, name), path.name)
    return FundingColumns(times(table, DATE, path.name), numbers(table, name, path.name), is_synthetic(table))


def read_times(path: Path) -> tuple[IntArray, bool]:
    """Read only the dates of one file, as (n,) int64 ms UTC, and whether it is marked synthetic.

    Raises:
        DataError: the file cannot be read, is of another format, or has no dates.
    """
    table = _read_table(path, (DATE,))
    _require_once(table, (DATE,), path.name)
    return times(table, DATE, path.name), is_synthetic(table)


def table_columns(table: pa.Table, source: str) -> Columns:
    """Convert a table to candle columns, with dates of any unit; `source` names it in errors.

    Raises:
        DataError: a column is missing or of another type.
    """
    _require_once(table, (DATE, *CANDLE_COLUMNS), source)
    values = {name: numbers(table, name, source) for name in CANDLE_COLUMNS}
    return Columns(times(table, DATE, source), **values, synthetic=is_synthetic(table))


def times(table: pa.Table, name: str, source: str) -> IntArray:
    """Convert a date column to (n,) int64 ms UTC; `NO_TIME` where it is null. Dates without a time zone are UTC."""
    column = table.column(name)
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        whole = column if getattr(column.type, "unit", None) == "ms" else column.cast(pa.timestamp("ms"), safe=False)
        instants = whole.combine_chunks(memory_pool=_POOL).view(pa.int64())
        return _values(instants, NO_TIME, np.int64)
    if pa.types.is_null(column.type):
        return np.full(len(column), NO_TIME)
    if pa.types.is_integer(column.type):
        whole = column.cast(pa.int64(), safe=False)
        known = _values(whole, NO_TIME, np.int64) != NO_TIME
        return np.where(known, milliseconds(_values(whole, 0, np.int64)), NO_TIME)
    if pa.types.is_floating(column.type):
        values = _values(column.cast(pa.float64()), np.nan, np.float64)
        known = np.isfinite(values) & (np.abs(values) < 2.0**62)
        return np.where(known, milliseconds(np.where(known, values, 0).astype(np.int64)), NO_TIME)
    raise _wrong_type(source, name, str(column.type), "a date, or an integer number of milliseconds")


def numbers(table: pa.Table, name: str, source: str) -> FloatArray:
    """Convert a number column to (n,) float64; NaN where it is null."""
    column = table.column(name)
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type) or pa.types.is_null(column.type)):
        raise _wrong_type(source, name, str(column.type), "a number")
    # Where there is nothing to convert, a cast would only load Arrow's functions: 9 MiB.
    values = column if column.type == pa.float64() else column.cast(pa.float64(), safe=False)
    return _values(values, np.nan, np.float64)


def _values(column: Any, null: float, dtype: type[Number]) -> npt.NDArray[Number]:
    """View the buffer of a numeric column as an array.

    Arrow's `to_numpy` imports pandas where it is installed, which takes a quarter of a second.
    """
    array = column.fill_null(null) if column.null_count else column
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks(memory_pool=_POOL)
    return np.frombuffer(array.buffers()[1], dtype)[array.offset : array.offset + len(array)]


def release_memory() -> None:
    """Give the memory back to the system that is free after reading many files, in processes that go on for long."""
    pa.default_memory_pool().release_unused()
    pa.system_memory_pool().release_unused()  # of the C library, whose pool this is: numpy's arrays too


def is_synthetic(table: pa.Table) -> bool:
    """Whether the file is marked as synthetic."""
    return (table.schema.metadata or {}).get(NOTE) == SYNTHETIC_NOTE


def read_bytes(path: Path) -> bytes:
    """Read the file's bytes.

    Raises:
        DataError: it cannot be read or is empty.
    """
    try:
        content = read_regular(path)
    except OSError as error:
        raise DataError(f"read {path}", found=error.strerror or str(error), expected="a readable file") from error
    if not content:
        raise DataError(f"read {path}", found="an empty file", expected="candles", remedy=_REMEDY)
    return content


def inflate(content: bytes) -> bytes:
    """Decompress the content of a gzip file.

    Raises:
        ValueError: more than `MOST_BYTES`.
        OSError, EOFError, zlib.error: not gzip, or truncated.
    """
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
        plain = file.read(MOST_BYTES + 1)
    if len(plain) > MOST_BYTES:
        raise ValueError(f"more than {MOST_BYTES} bytes when decompressed")
    return plain


def _read_table(path: Path, columns: tuple[str, ...]) -> pa.Table:
    suffix = next((suffix for suffix in FORMATS if path.name.endswith(suffix)), None)
    if suffix is None:
        raise DataError(f"read {path}", found=f"the ending {path.suffix!r}", expected=f"one of {', '.join(FORMATS)}")
    content = read_bytes(path)
    try:
        table = _READERS[suffix](content, columns)
        table.validate()
    except FOREIGN as error:
        raise DataError(
            f"read {path}", found=" ".join(str(error).split())[:200], expected=f"a {suffix[1:]} file", remedy=_REMEDY
        ) from error
    return table


def _read_feather(content: bytes, columns: tuple[str, ...]) -> pa.Table:
    buffer = pa.py_buffer(content)
    names = pa.ipc.open_file(buffer).schema.names
    wanted = [index for index, name in enumerate(names) if name in columns]
    options = pa.ipc.IpcReadOptions(included_fields=wanted, use_threads=False)
    return pa.ipc.open_file(buffer, options=options, memory_pool=_POOL).read_all()


def _read_parquet(content: bytes, columns: tuple[str, ...]) -> pa.Table:
    from pyarrow import parquet  # with it come the clients of file systems in the cloud

    file = parquet.ParquetFile(pa.BufferReader(content))
    return file.read(columns=[name for name in file.schema_arrow.names if name in columns])


def _read_json(content: bytes, columns: tuple[str, ...]) -> pa.Table:
    """Read Freqtrade's older JSON, a list of rows: two columns are date and rate, six are a candle."""
    rows: Any = parse_json(content, most_bytes=MOST_BYTES, most_depth=3)
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise ValueError("not a list of rows")
    if not rows:
        return pa.table({name: pa.array([], pa.int64()) for name in columns})
    widths = {len(row) for row in rows}
    if not widths <= {2, 6} or len(widths) != 1:
        raise ValueError(f"rows of {', '.join(map(str, sorted(widths)))} values")
    names = (DATE, RATE_COLUMNS[0]) if widths == {2} else (DATE, *CANDLE_COLUMNS)
    date, *values = zip(*rows, strict=True)
    arrays = [pa.array(date, pa.int64()), *(pa.array(column, pa.float64()) for column in values)]
    return pa.table(dict(zip(names, arrays, strict=True)))


def _read_json_gz(content: bytes, columns: tuple[str, ...]) -> pa.Table:
    return _read_json(inflate(content), columns)


_READERS: dict[str, Callable[[bytes, tuple[str, ...]], pa.Table]] = {
    ".feather": _read_feather,
    ".parquet": _read_parquet,
    ".json.gz": _read_json_gz,
    ".json": _read_json,
}


def _write_feather(table: pa.Table, path: Path) -> None:
    from pyarrow import feather

    # Freqtrade also writes lz4 at level 9.
    feather.write_feather(table, str(path), compression="lz4", compression_level=9, version=2)


def _write_parquet(table: pa.Table, path: Path) -> None:
    from pyarrow import parquet

    parquet.write_table(table, str(path))


def _write_json(table: pa.Table, path: Path) -> None:
    path.write_bytes(_json(table))


def _write_json_gz(table: pa.Table, path: Path) -> None:
    path.write_bytes(gzip.compress(_json(table), mtime=0))


def _json(table: pa.Table) -> bytes:
    columns = [table.column(DATE).cast(pa.int64()), *(table.column(name) for name in CANDLE_COLUMNS)]
    rows = zip(*(column.to_pylist() for column in columns), strict=True)
    return json.dumps(list(rows), separators=(",", ":"), allow_nan=False).encode()


#: Ending -> writes a table of dates in ms and candle columns; JSON holds no mark of synthetic candles.
WRITERS: dict[str, Callable[[pa.Table, Path], None]] = {
    ".feather": _write_feather,
    ".parquet": _write_parquet,
    ".json.gz": _write_json_gz,
    ".json": _write_json,
}


def _require_once(table: pa.Table, names: tuple[str, ...], source: str) -> None:
    """Check that a table has each column once.

    Raises:
        DataError: a column is missing or there twice.
    """
    wrong = [name for name in names if table.column_names.count(name) != 1]
    if wrong:
        twice = [name for name in wrong if name in table.column_names]
        raise DataError(
            f"read {source}",
            found=f"{', '.join(twice)} twice" if twice else f"no {', '.join(wrong)} in its columns",
            expected=f"the columns {', '.join(names)}",
            remedy=_REMEDY,
        )


def _wrong_type(source: str, name: str, found: str, expected: str) -> DataError:
    return DataError(f"read {source}", found=f"the column {name} of type {found}", expected=expected, remedy=_REMEDY)
