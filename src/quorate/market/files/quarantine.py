"""The side file of rows that contradict each other. Nothing reads it back as candles."""

from __future__ import annotations

from pathlib import Path

from quorate.core.clock import iso_ms
from quorate.core.errors import DataError
from quorate.core.files import write_text_atomic
from quorate.core.types import CANDLE_COLUMNS
from quorate.market.columns import Columns, FundingColumns
from quorate.market.files.names import FORMATS

SUFFIX = ".quarantine.csv"


def side_path(path: Path) -> Path:
    """The side file of a data file, beside it.

    >>> side_path(Path("binance/BTC_USDT-4h.feather")).as_posix()
    'binance/BTC_USDT-4h.quarantine.csv'
    """
    suffix = next((suffix for suffix in FORMATS if path.name.endswith(suffix)), path.suffix)
    return path.with_name(path.name.removesuffix(suffix) + SUFFIX)


def quarantine(path: Path, rows: Columns | FundingColumns, source: str) -> Path:
    """Add rows to the side file of `path`; rows that are already there change nothing.

    Args:
        path: the data file that the rows belong to.
        rows: what contradicts itself.
        source: the file the rows came from.

    Raises:
        DataError: the side file cannot be read or written.
    """
    side = side_path(path)
    names = CANDLE_COLUMNS if isinstance(rows, Columns) else ("rate",)
    header = ",".join(("time", "date", *names, "source"))
    columns = [getattr(rows, name).tolist() for name in names]
    # A name is bytes to the system: what is no text must not stop the rows from being kept.
    label = "_".join(source.encode(errors="replace").decode().replace(",", " ").split())
    lines = {
        ",".join((str(time), iso_ms(time), *map(repr, values), label))
        for time, *values in zip(rows.time.tolist(), *columns, strict=True)
    }
    try:
        known = set(side.read_text(encoding="utf-8").splitlines()[1:])
    except FileNotFoundError:
        known = set()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"quarantine rows of {path.name}",
            found=f"{side.name}, which cannot be read ({error})",
            expected="a text file that Quorate wrote",
            remedy="Move that file away and try again.",
        ) from error
    if not lines <= known:
        write_text_atomic(side, "\n".join((header, *sorted(lines | known))) + "\n")
    return side
