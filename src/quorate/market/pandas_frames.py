"""Candles from pandas frames, checked as those of files."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from quorate.core.clock import DAY_MS, HOUR_MS, MINUTE_MS, now_ms
from quorate.core.errors import DataError, TooLittleHistoryError
from quorate.core.tables.frames import frame_rows
from quorate.core.types import CANDLE_COLUMNS, Candles, IntArray
from quorate.core.types.times import NO_TIME
from quorate.market.columns import Columns
from quorate.market.files.spellings import same_market
from quorate.market.quality.candle_checks import check_candles

if TYPE_CHECKING:
    import pandas as pd

_LOG = logging.getLogger(__name__)

#: Names of the column of symbols in a frame; those of files have more, see `core.tables.column_names`.
FRAME_SYMBOL_COLUMNS = ("symbol", "pair")

# Largest first, so that 24 hours are 1d. Weeks are bars of 7 days that open on Mondays.
_UNITS = ((7 * DAY_MS, "w"), (DAY_MS, "d"), (HOUR_MS, "h"), (MINUTE_MS, "m"))


def candles_from_frame(
    frame: pd.DataFrame, symbol: str, timeframe: str | None = None, *, now: int | None = None
) -> Candles:
    """Convert the rows of one market in a pandas frame to closed candles.

    Rows may be in any order. Of equal rows of one time one is kept; rows that contradict each other are left out with a
    warning in the log, so that their bar is a gap; the bar that is not closed is left out.

    Args:
        frame: columns under any of the names that files may have, and open times as a column or as the index, see
            `core.tables.frame_columns`. An entry `attrs["synthetic"] = True` marks synthetic candles.
        symbol: in ccxt's form: "BTC/USDT" is spot, "BTC/USDT:USDT" a perpetual.
        timeframe: of the bars; None to infer it from the most frequent interval between rows.
        now: the current time in ms UTC; None for the clock's.

    Raises:
        ArgumentError: not a pandas frame.
        CandleError: an invalid row, with row and value.
        TooLittleHistoryError: no closed candle, or too few rows to infer the timeframe.
        DataError: a column that is missing or of another type, or an interval that is no timeframe.
        UnknownTimeframeError: not a timeframe.
    """
    attempted = f"read the frame of {symbol}"
    parts = frame_rows(frame, attempted)
    other = next((part.symbol for part in parts if part.symbol and not same_market(part.symbol, str(symbol))), None)
    if len(parts) > 1 or other is not None:
        raise DataError(
            attempted,
            found=f"rows of {other or 'several markets'}",
            expected=f"rows of {symbol}",
            remedy="Select them, such as frame[frame['symbol'] == 'BTC/USDT'].",
        )
    time, values = parts[0].time, parts[0].values
    if timeframe is None:
        timeframe = infer_timeframe(time, attempted)
    columns = Columns(time, **values, synthetic=frame.attrs.get("synthetic") is True)
    checked = check_candles(columns, timeframe, now_ms() if now is None else now)
    checked.report.require(f"the frame of {symbol}")
    if checked.report.conflicts:
        _LOG.warning("the frame of %s: %d contradicting rows are left out", symbol, checked.report.conflicts)
    if not len(checked.kept):
        raise TooLittleHistoryError(attempted, found=f"no closed candle in {len(time)} rows", expected="at least one")
    kept = {name: getattr(checked.kept, name) for name in ("time", *CANDLE_COLUMNS)}
    return Candles(symbol, timeframe, **kept, synthetic=checked.kept.synthetic)


def split_frame(frame: pd.DataFrame) -> dict[str, pd.DataFrame] | None:
    """Split a frame by its column `symbol` or `pair`: symbol -> rows; None for a frame without such a column."""
    names = {str(name).strip().lower(): name for name in frame.columns}
    column = next((names[name] for name in FRAME_SYMBOL_COLUMNS if name in names), None)
    if column is None:
        return None
    return {str(symbol): rows for symbol, rows in frame.groupby(column, sort=True)}


def infer_timeframe(time: IntArray, attempted: str) -> str:
    """Infer the timeframe from open times in any order: the most frequent interval.

    Raises:
        TooLittleHistoryError: fewer than two different times.
        DataError: an interval that is no timeframe.
    """
    known = np.unique(time[time != NO_TIME])
    if len(known) < 2:
        raise TooLittleHistoryError(
            attempted, found=f"{len(known)} open times", expected="at least two, or `timeframe` such as 1h"
        )
    distance = Counter(np.diff(known).tolist()).most_common(1)[0][0]
    for length, unit in _UNITS:
        if distance % length == 0:
            return f"{distance // length}{unit}"
    raise DataError(attempted, found=f"rows {distance} ms apart", expected="bars of whole minutes")
