"""Files of one market in several formats, such as a stale one that a conversion has left behind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from quorate.core.clock import format_ms, now_ms
from quorate.core.errors import DataError
from quorate.core.types import CANDLE_COLUMNS
from quorate.market.columns import Columns, FundingColumns, differs
from quorate.market.files.formats import read_columns, read_funding_columns
from quorate.market.files.names import Kind
from quorate.market.quality.candle_checks import check_candles, check_funding


def require_equal_rows(paths: Sequence[Path], timeframe: str, kind: Kind) -> None:
    """Refuse several files of one market that do not hold the same rows.

    Args:
        paths: at least two, in different formats.
        timeframe: of the files.
        kind: of the files.

    Raises:
        DataError: files of different rows, both named; or one that cannot be read.
    """
    first, *others = [(path, _rows(path, timeframe, kind)) for path in paths]
    for path, rows in others:
        if not _equal(first[1], rows):
            raise DataError(
                f"read {first[0].name.partition('.')[0]} in {first[0].parent}",
                found=f"{_described(*first)} and {_described(path, rows)}",
                expected="one file of a market, or files of equal rows",
                remedy="Remove the stale one; with `freqtrade_config` the format of dataformat_ohlcv is read.",
            )


def _rows(path: Path, timeframe: str, kind: Kind) -> Columns | FundingColumns:
    """The rows of a file as they are used."""
    if kind == "funding_rate":
        return check_funding(read_funding_columns(path), now_ms()).kept
    return check_candles(read_columns(path), timeframe, now_ms(), has_volume=kind != "mark").kept


def _equal(left: Columns | FundingColumns, right: Columns | FundingColumns) -> bool:
    if not np.array_equal(left.time, right.time):
        return False
    names = CANDLE_COLUMNS if isinstance(left, Columns) else ("rate",)
    return not any(differs(getattr(left, name), getattr(right, name)).any() for name in names)


def _described(path: Path, rows: Columns | FundingColumns) -> str:
    span = f", {format_ms(int(rows.time[0]))} to {format_ms(int(rows.time[-1]))}" if len(rows) else ""
    return f"{path.name} ({len(rows):,} rows{span})"
