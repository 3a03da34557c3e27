"""Rows of the CSV files of Binance's public archives, as texts."""

from __future__ import annotations

import csv
import io
import math
import zipfile
import zlib
from datetime import UTC, datetime
from pathlib import Path

from quorate.core.errors import DataError
from quorate.market.files.formats import MOST_BYTES, inflate, read_bytes

#: A row: name of a column -> its text.
Row = dict[str, str]

# Older and newer names of one column.
_ALIASES = {
    "taker_buy_base_asset_volume": "taker_buy_volume",
    "taker_buy_quote_asset_volume": "taker_buy_quote_volume",
    "quote_asset_volume": "quote_volume",
    "number_of_trades": "count",
}
_UNKNOWN = frozenset(("", "nan", "null", "none"))


def read_archive(path: Path, columns: tuple[str, ...], *, optional: bool = False) -> list[Row] | None:
    """Read a CSV file, alone, gzipped or in a zip with one member, by the names of its columns.

    Args:
        path: the file.
        columns: its columns, in order; a file without a header has these.
        optional: return None for a file that lacks a column, instead of an error.

    Raises:
        DataError: the file cannot be read, or lacks a column.
    """
    lines = list(csv.reader(io.StringIO(_text(path))))
    lines = [line for line in lines if any(cell.strip() for cell in line)]
    names = list(columns)
    if lines and any(cell.strip().lower() == columns[0] for cell in lines[0]):
        names = [_ALIASES.get(cell.strip().lower(), cell.strip().lower()) for cell in lines[0]]
        lines = lines[1:]
    missing = [name for name in columns if name not in names and name != "ignore"]
    short = next((place for place, line in enumerate(lines) if len(line) != len(names)), None)
    if not missing and short is None:
        return [dict(zip(names, (cell.strip() for cell in line), strict=True)) for line in lines]
    if optional:
        return None
    raise DataError(
        f"import {path}",
        found=f"no column {', '.join(missing)}" if missing else f"{len(lines[short or 0])} values in row {short}",
        expected=f"the columns {', '.join(columns)}",
        remedy="Download the file again from the exchange's archive.",
    )


def number(path: Path, row: int, name: str, text: str) -> float:
    """A number of a row; NaN where its cell is empty.

    Raises:
        DataError: no number.
    """
    if text.strip('"').lower() in _UNKNOWN:
        return math.nan
    try:
        return float(text.strip('"'))
    except ValueError as error:
        raise DataError(
            f"import {path}",
            found=f"{name} {text[:40]!r} in row {row}",
            expected="a number, or an empty cell where it is unknown",
            remedy="Download the file again from the exchange's archive.",
        ) from error


def stamp(path: Path, row: int, text: str) -> int:
    """A time of a row in ms UTC: a date and a time of day, or ms since 1970.

    Raises:
        DataError: neither.
    """
    plain = text.strip('"')
    try:
        if plain.isdecimal():
            return int(plain)
        moment = datetime.fromisoformat(plain)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise DataError(
            f"import {path}",
            found=f"create_time {text[:40]!r} in row {row}",
            expected="a time in UTC, such as 2024-10-28 00:05:00",
            remedy="Download the file again from the exchange's archive.",
        ) from error


def _text(path: Path) -> str:
    content = read_bytes(path)
    try:
        if path.name.lower().endswith(".zip"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                content = archive.read(_one_table(archive))
        elif path.name.lower().endswith(".gz"):
            content = inflate(content)
        return content.decode("utf-8-sig")
    except (ValueError, OSError, EOFError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(
            f"import {path}",
            found=" ".join(str(error).split())[:200],
            expected="a CSV file, alone or in a zip",
            remedy="Download the file again from the exchange's archive.",
        ) from error


def _one_table(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    members = [member for member in archive.infolist() if member.filename.lower().endswith(".csv")]
    if len(members) != 1 or members[0].file_size > MOST_BYTES:
        raise ValueError(f"{len(members)} CSV files in the zip, or one of more than {MOST_BYTES} bytes")
    return members[0]
