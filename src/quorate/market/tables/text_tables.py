"""Tables in text files: CSV with any delimiter, TSV, and what terminals of MetaTrader write."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import pyarrow as pa

from quorate.core.tables import RawTable, TableColumn
from quorate.core.tables.column_names import role_of, roles_in
from quorate.core.tables.date_texts import clock_ms, parse_dates
from quorate.core.tables.number_texts import is_number_text
from quorate.core.tables.table import text_column
from quorate.market.tables.arrow_tables import owned, table_column

# What spreadsheets write on Windows where it is not UTF-8; the one by which most names of columns are known is taken.
_ENCODINGS = ("cp1252", "cp1251", "gb18030", "shift_jis", "cp949", "iso8859_9", "cp1250")
_DELIMITERS = "\t;|,"
_HEAD_BYTES, _HEAD_LINES = 65_536, 60
_NEEDED = frozenset(("open", "high", "low", "close", "volume"))


class _Shape(NamedTuple):
    """How a file is laid out: its delimiter, the lines before its data, and the texts of its headers."""

    delimiter: str
    skipped: int
    above: tuple[str, ...]
    heads: tuple[tuple[str, ...], ...]


def read_text(content: bytes, *, everything: bool = False) -> RawTable:
    """Read a table of text.

    Args:
        content: of the file, in UTF-8, UTF-16 or a usual encoding of Windows.
        everything: read all columns; otherwise only those that candles need, where these are all there.

    Raises:
        ValueError: no rows, or rows of different lengths.
    """
    content = _utf8(content)
    lines = content[:_HEAD_BYTES].decode("utf-8", errors="replace").splitlines()
    if len(content) > _HEAD_BYTES:
        lines = lines[:-1] or lines
    if not any(line.strip() for line in lines):
        raise ValueError("Empty CSV file")
    shape = _shape(lines[:_HEAD_LINES])
    if shape.delimiter == " ":
        content = b"\n".join(b" ".join(line.split()) for line in content.splitlines())
    wanted = list(range(len(shape.heads)))
    roles = [_roles(heads) for heads in shape.heads]
    if (
        not everything
        and all(len(heads) == 1 for heads in shape.heads)
        and {*_NEEDED} <= {r for role in roles for r in role}
    ):
        wanted = [n for n, role in enumerate(roles) if role or not any(shape.heads[n])]

    def read(types: dict[str, pa.DataType] | None = None) -> list[TableColumn]:
        found = _read(content, shape, wanted, types)
        rows = found.num_rows
        columns = []
        for number, heads in enumerate(shape.heads):
            name = str(number)
            left_out = text_column(heads, [None] * rows) if number not in wanted else None
            columns.append(left_out or table_column(found.column(name), heads))
        return columns

    @cache
    def texts() -> RawTable:
        types = {str(number): pa.string() for number in wanted}
        return RawTable(tuple(read(types)), above=shape.above, comma=shape.delimiter == ",")

    return RawTable(tuple(read()), texts, shape.above, comma=shape.delimiter == ",")


def _roles(heads: Sequence[str]) -> set[str]:
    return {role[0] for role in map(role_of, heads) if role is not None}


def _read(content: bytes, shape: _Shape, wanted: list[int], types: dict[str, pa.DataType] | None) -> pa.Table:
    from pyarrow import csv as tables

    names = [str(number) for number in range(len(shape.heads))]
    if len(content) < _HEAD_BYTES and len(content.splitlines()) <= shape.skipped:
        return pa.table({name: pa.array([], pa.float64()) for name in names})  # a header without rows
    # Without threads, from memory that Arrow owns, see `owned`.
    return tables.read_csv(
        pa.BufferReader(owned(content)),
        read_options=tables.ReadOptions(column_names=names, skip_rows=shape.skipped, use_threads=False),
        parse_options=tables.ParseOptions(delimiter=shape.delimiter),
        convert_options=tables.ConvertOptions(
            column_types=types or {}, include_columns=[names[n] for n in wanted], strings_can_be_null=True
        ),
    )


def _utf8(content: bytes) -> bytes:
    """The content in UTF-8, without a byte order mark."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return content.decode("utf-16").encode()
        except UnicodeDecodeError as error:
            raise ValueError("no text in UTF-16") from error
    try:
        content.decode("utf-8")
        return content.removeprefix(b"\xef\xbb\xbf")
    except UnicodeDecodeError:
        pass
    best, most = content.decode("cp1252", errors="replace").encode(), 0
    for encoding in _ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        found = max(
            (roles_in(line.replace(";", ",").replace("\t", ",").split(",")) for line in text.splitlines()[:5]),
            default=0,
        )
        if found > most:
            best, most = text.encode(), found
    return best


def _shape(lines: list[str]) -> _Shape:
    skipped, delimiter = 0, ""
    if lines[0].lower().startswith("sep=") and len(lines[0].strip()) == 5:  # a hint of Excel's to itself
        skipped, delimiter = 1, lines[0].strip()[4]
    rest = lines[skipped:]
    delimiter = delimiter or _delimiter(rest)
    splitter = {"delimiter": delimiter, "skipinitialspace": True}
    rows = [next(csv.reader([" ".join(line.split()) if delimiter == " " else line], **splitter), []) for line in rest]  # type: ignore[arg-type]
    data = next((number for number, row in enumerate(rows) if _is_data(row)), None)
    if data is None:
        data = next((number + 1 for number, row in enumerate(rows) if roles_in(row) > 1), 1)
    width = len(rows[data]) if data < len(rows) else len(rows[data - 1])
    headers = [row for row in rows[:data] if len(row) > 1 and len(row) >= width - 1]
    first = data - len(headers)
    above = tuple(line.strip() for line in rest[:first] if line.strip())
    if headers and headers[-1] == [str(number) for number in range(len(headers[-1]))]:
        headers = headers[:-1]  # the numbers of columns without names
    for row in headers:
        while len(row) < width:
            # Of a row with one value more than the header, the first is its number; or each line ends in a delimiter.
            row.insert(len(row) if data < len(rows) and not rows[data][-1].strip() else 0, "")
    if headers and len(headers[-1]) == width + 1 and not headers[-1][-1].strip():
        headers = [row[:-1] for row in headers]
    width = max([width, *map(len, headers)])
    heads = tuple(tuple(row[place].strip() for row in headers if place < len(row)) for place in range(width))
    return _Shape(delimiter, skipped + data, above, heads)


def _delimiter(lines: list[str]) -> str:
    """The delimiter by which most lines have the same number of at least three values."""
    filled = [line for line in lines if line.strip()]
    for delimiter in _DELIMITERS:
        widths = Counter(len(row) for row in csv.reader(filled, delimiter=delimiter, skipinitialspace=True))
        width, count = widths.most_common(1)[0]
        if width > 2 and 5 * count >= 4 * (len(filled) - 5):
            return delimiter
    if all(len(line.split()) > 4 for line in filled[-3:]):
        return " "
    return max(",;\t", key=filled[0].count)


def _is_data(row: list[str]) -> bool:
    """Whether a line holds values: numbers, dates and times in at least half of its cells."""
    filled = [cell.strip() for cell in row if cell.strip()]
    if len(filled) < 2 or row == [str(number) for number in range(len(row))]:
        return False
    values = sum(is_number_text(cell) or clock_ms(cell) is not None for cell in filled)
    if values == len(filled):
        return True
    values += sum(parse_dates([cell]).wrong is None for cell in filled[:3] if not is_number_text(cell))
    return values > 1 and 2 * values > len(filled)
