"""Quarantine file of rows that contradict each other; it is never read as candles."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from quorate.core.clock import iso_ms
from quorate.core.errors import DataError
from quorate.core.files import write_text_atomic
from quorate.core.folder_lock import folder_lock
from quorate.core.regular_files import read_regular_text
from quorate.core.types import CANDLE_COLUMNS, FloatArray, IntArray
from quorate.market.columns import Columns, FundingColumns
from quorate.market.files.names import FORMATS, FUTURES_FOLDER, STATISTICS_FOLDER

SUFFIX = ".quarantine.csv"


def side_path(path: Path) -> Path:
    """Path of a data file's quarantine file.

    >>> side_path(Path("binance/BTC_USDT-4h.feather")).as_posix()
    'binance/BTC_USDT-4h.quarantine.csv'
    """
    suffix = next((suffix for suffix in FORMATS if path.name.endswith(suffix)), path.suffix)
    return path.with_name(path.name.removesuffix(suffix) + SUFFIX)


def quarantine(path: Path, rows: Columns | FundingColumns, source: str) -> Path:
    """Add rows to the quarantine file of `path`; rows that it already holds are not added again.

    Args:
        path: the data file that the rows belong to.
        rows: the contradicting rows.
        source: the file or exchange that the rows come from.

    Returns:
        Path of the quarantine file.

    Raises:
        DataError: the quarantine file cannot be read or written.
    """
    names = CANDLE_COLUMNS if isinstance(rows, Columns) else ("rate",)
    return quarantine_rows(path, rows.time, {name: getattr(rows, name) for name in names}, source)


def quarantine_rows(path: Path, time: IntArray, columns: Mapping[str, FloatArray], source: str) -> Path:
    """`quarantine` of rows with any columns.

    Args:
        path: the data file that the rows belong to.
        time: (n,) their times in ms UTC.
        columns: name -> (n,) values.
        source: the file or exchange that the rows come from.
    """
    side = side_path(path)
    header = ",".join(("time", "date", *columns, "source"))
    # File names may hold bytes that are not text; the rows are kept nevertheless.
    label = "_".join(source.encode(errors="replace").decode().replace(",", " ").split())
    lines = {
        ",".join((str(moment), iso_ms(moment), *map(repr, values), label))
        for moment, *values in zip(time.tolist(), *(column.tolist() for column in columns.values()), strict=True)
    }
    # The data folder, which writers of its files lock, holds perpetuals and statistics in subfolders.
    inside = path.parent.name in (FUTURES_FOLDER, STATISTICS_FOLDER)
    with folder_lock(path.parent.parent if inside else path.parent):
        _add(path, side, header, lines)
    return side


def _add(path: Path, side: Path, header: str, lines: set[str]) -> None:
    try:
        known = set(read_regular_text(side).splitlines()[1:])
    except FileNotFoundError:
        known = set()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"quarantine rows of {path.name}",
            found=f"{side.name}, which cannot be read ({error})",
            expected="a text file written by Quorate",
            remedy="Move that file and try again.",
        ) from error
    if not lines <= known:
        write_text_atomic(side, "\n".join((header, *sorted(lines | known))) + "\n")
