"""Tables of Arrow: Parquet, Feather, and what is read from text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc

from quorate.core.tables import RawTable, TableColumn
from quorate.core.tables.table import text_column
from quorate.market.files.formats import is_synthetic


def owned(content: bytes) -> pa.Buffer:
    """A copy of bytes that Arrow owns.

    Threads of Arrow that still run when an error ends the process must not release an object of Python: the process
    aborts with "terminate called without an active exception" (apache/arrow#34314).
    """
    with pa.BufferOutputStream() as copy:
        copy.write(content)
        return copy.getvalue()


def read_parquet(content: bytes) -> RawTable:
    """Read a Parquet file of any program."""
    from pyarrow import parquet

    return from_arrow(parquet.ParquetFile(pa.BufferReader(owned(content))).read(use_threads=False))


def read_feather(content: bytes) -> RawTable:
    """Read a Feather or Arrow file of any program."""
    options = pa.ipc.IpcReadOptions(use_threads=False)
    return from_arrow(pa.ipc.open_file(owned(content), options=options).read_all())


def from_arrow(table: pa.Table) -> RawTable:
    """Convert a table of Arrow; columns of nested values are left out."""
    table.validate()
    columns = [
        table_column(table.column(place), _heads(name))
        for place, name in enumerate(table.column_names)
        if not pa.types.is_nested(table.schema.field(place).type)
    ]
    return RawTable(tuple(columns), synthetic=is_synthetic(table))


def _heads(name: str) -> tuple[str, ...]:
    """Header texts of a column; pandas writes those of several levels as a tuple: ('Close', 'BTC-USD')."""
    if name.startswith("('") and name.endswith("')"):
        return tuple(part.strip().strip("'") for part in name[1:-1].split(","))
    return (name,)


def table_column(column: pa.ChunkedArray, heads: tuple[str, ...]) -> TableColumn:
    """Convert one column."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        instants = column if getattr(kind, "unit", None) == "ms" else column.cast(pa.timestamp("ms"), safe=False)
        values = _values(instants, np.int64, np.iinfo(np.int64).min).view("datetime64[ms]")
        return TableColumn(heads, values, getattr(kind, "tz", None) is not None)
    if pa.types.is_time(kind):
        small = column.cast(pa.time32("ms"), safe=False).cast(pa.int32())
        return TableColumn(heads, _values(small, np.int32, 0).astype(np.int64).view("timedelta64[ms]"))
    if pa.types.is_integer(kind) and not column.null_count:
        return TableColumn(heads, _values(column.cast(pa.int64(), safe=False), np.int64, 0))
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        floats = column if kind == pa.float64() else column.cast(pa.float64(), safe=False)
        return TableColumn(heads, _values(floats, np.float64, np.nan))
    if pa.types.is_null(kind):
        return TableColumn(heads, np.full(len(column), np.nan))
    if pa.types.is_boolean(kind):
        return TableColumn(heads, np.array(column.to_pylist(), dtype=object) == True)  # noqa: E712 - nulls are False
    return text_column(heads, [None if value is None else str(value) for value in column.to_pylist()])


def _values(column: pa.ChunkedArray, dtype: Any, null: Any) -> np.ndarray:
    """The buffer of a column as an array; Arrow's own `to_numpy` imports pandas where it is installed."""
    filled = column.fill_null(null) if column.null_count and column.type not in _INSTANTS else column
    array = filled.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks)
    values = np.frombuffer(array.buffers()[1], dtype)[array.offset : array.offset + len(array)]
    if array.null_count:
        values = np.where(np.array(array.is_null().to_pylist()), null, values)
    return np.asarray(values)


_INSTANTS = (pa.timestamp("ms"),)
