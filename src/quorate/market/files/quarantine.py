"""Quarantine file of rows that contradict each other; it is never read as candles."""

from __future__ import annotations

from pathlib import Path

from quorate.core.clock import iso_ms
from quorate.core.errors import DataError
from quorate.core.files import write_text_atomic
from quorate.core.folder_lock import folder_lock
from quorate.core.regular_files import read_regular_text
from quorate.core.types import CANDLE_COLUMNS
from quorate.market.columns import Columns, FundingColumns
from quorate.market.files.names import FORMATS, FUTURES_FOLDER

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
    side = side_path(path)
    names = CANDLE_COLUMNS if isinstance(rows, Columns) else ("rate",)
    header = ",".join(("time", "date", *names, "source"))
    columns = [getattr(rows, name).tolist() for name in names]
    # File names may hold bytes that are not text; the rows are kept nevertheless.
    label = "_".join(source.encode(errors="replace").decode().replace(",", " ").split())
    lines = {
        ",".join((str(time), iso_ms(time), *map(repr, values), label))
        for time, *values in zip(rows.time.tolist(), *columns, strict=True)
    }
    # The data folder, which writers of its files lock, holds perpetuals in a subfolder.
    with folder_lock(path.parent.parent if path.parent.name == FUTURES_FOLDER else path.parent):
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
