"""Tables in JSON: answers of exchanges as they are, and what pandas and polars write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from quorate.core.tables import RawTable, TableColumn
from quorate.core.tables.column_names import roles_in
from quorate.core.tables.table import text_column
from quorate.core.untrusted_json import parse_json

_MOST_DEPTH = 8


def read_json(content: bytes, most_bytes: int) -> RawTable:
    """Read the table of a document: a list of rows or of objects, or an object of columns, at any depth.

    Raises:
        ValueError: no JSON, or no table in it.
    """
    stripped = content.lstrip()
    if stripped[:1] == b"{" and b"}\n{" in stripped.replace(b"\r", b""):
        document: Any = [
            parse_json(line, most_bytes=most_bytes, most_depth=_MOST_DEPTH) for line in stripped.splitlines() if line
        ]
    else:
        document = parse_json(content, most_bytes=most_bytes, most_depth=_MOST_DEPTH)
    found = max(_tables(document), key=lambda table: (_known(table), len(table)), default=None)
    if found is None:
        raise ValueError("no list of rows in the document")
    market = (
        document.get("result", {}).get("symbol")
        if isinstance(document, dict) and isinstance(document.get("result"), dict)
        else None
    )
    if isinstance(market, str):  # Bybit's answers
        found = (
            RawTable((*found.columns, text_column(("symbol",), [market] * len(found))))
            if any(found.columns[0].heads)
            else found
        )
    return found


def _known(table: RawTable) -> int:
    return roles_in([column.name for column in table.columns]) or min(len(table.columns), 2)


def _tables(value: Any) -> Iterator[RawTable]:
    """Every table in a document."""
    if isinstance(value, list):
        if value and all(isinstance(row, list) for row in value):
            widths = {len(row) for row in value}
            if len(widths) == 1 and widths != {0} and not any(isinstance(cell, list | dict) for cell in value[0]):
                yield RawTable(tuple(_column((), list(cells)) for cells in zip(*value, strict=True)))
                return
        if value and all(isinstance(row, dict) for row in value):
            names = list(dict.fromkeys(name for row in value[:100] for name in row))
            yield RawTable(tuple(_column((name,), [row.get(name) for row in value]) for name in names))
        for each in value[:100]:
            yield from _tables(each)
    if isinstance(value, dict):
        if {"columns", "index", "data"} <= value.keys():
            yield from _split(value)
        columns = {name: each for name, each in value.items() if isinstance(each, list | dict) and each}
        if len(columns) > 2:
            yield from _of_columns(columns)
        for each in value.values():
            yield from _tables(each)


def _split(value: dict[str, Any]) -> Iterator[RawTable]:
    """The form that pandas calls split."""
    data, index = value["data"], value["index"]
    if isinstance(data, list) and isinstance(index, list) and len(data) == len(index):
        cells = zip(*data, strict=False)
        yield RawTable(
            (
                _column(("",), index),
                *(_column((str(name),), list(each)) for name, each in zip(value["columns"], cells, strict=False)),
            )
        )


def _of_columns(columns: dict[str, Any]) -> Iterator[RawTable]:
    """Columns by name: lists of values, or objects of row name to value, as pandas writes them."""
    if all(isinstance(each, dict) for each in columns.values()):
        keys = list(next(iter(columns.values())))
        if (
            keys
            and all(list(each) == keys for each in columns.values())
            and not isinstance(next(iter(columns.values()))[keys[0]], dict | list)
        ):
            index = _column(("",), [int(key) if key.isdecimal() else key for key in keys])
            yield RawTable((index, *(_column((name,), list(each.values())) for name, each in columns.items())))
    lists = {name: each for name, each in columns.items() if isinstance(each, list)}
    lengths = {len(each) for each in lists.values()}
    if len(lists) > 2 and len(lengths) == 1 and not any(isinstance(each[0], list | dict) for each in lists.values()):
        # Deribit calls its times ticks, others the number of price changes.
        yield RawTable(
            tuple(_column(("timestamp" if name == "ticks" else name,), each) for name, each in lists.items())
        )


def _column(heads: tuple[str, ...], cells: list[Any]) -> TableColumn:
    present = [cell for cell in cells if cell is not None]
    whole = all(isinstance(cell, int) and not isinstance(cell, bool) and abs(cell) < 2**63 for cell in cells)
    if cells and whole:
        return TableColumn(heads, np.array(cells, dtype=np.int64))
    if not present or all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in present):
        return TableColumn(heads, np.array([np.nan if cell is None else float(cell) for cell in cells]))
    return text_column(heads, [None if cell is None else str(cell) for cell in cells])
