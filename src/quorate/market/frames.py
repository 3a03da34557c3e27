"""Candles from pandas frames: the rows of ccxt, of Freqtrade, of a CSV file, judged as those of a file are."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from quorate.core.clock import DAY_MS, HOUR_MS, MINUTE_MS, now_ms
from quorate.core.errors import DataError, TooLittleHistoryError
from quorate.core.types import CANDLE_COLUMNS, Candles, IntArray
from quorate.core.types.candle_frame import NO_TIME, frame_columns
from quorate.market.columns import Columns
from quorate.market.quality.candle_checks import check_candles

if TYPE_CHECKING:
    import pandas as pd

_LOG = logging.getLogger(__name__)

#: What columns of symbols are called.
SYMBOL_COLUMNS = ("symbol", "pair")

# Largest first: a bar of 24 hours is 1d. Weeks are bars of 7 days that open on Mondays.
_UNITS = ((7 * DAY_MS, "w"), (DAY_MS, "d"), (HOUR_MS, "h"), (MINUTE_MS, "m"))


def candles_from_frame(
    frame: pd.DataFrame, symbol: str, timeframe: str | None = None, *, now: int | None = None
) -> Candles:
    """The closed candles of one market in a pandas frame.

    Rows may be in any order. Equal rows of one time are collapsed; rows that contradict each other are left out with a
    warning in the log, so that their bar is a gap; a bar that is still running is left out.

    Args:
        frame: columns open, high, low, close, volume, and open times as a column date, timestamp, open_time, datetime
            or time, or as the index. Times are dates (UTC where they have no zone), ISO texts, or numbers since 1970 in
            s, ms, us or ns. Column names are compared without regard to case; other columns are ignored. An entry
            `attrs["synthetic"] = True` marks made-up candles.
        symbol: ccxt's name: "BTC/USDT" is spot, "BTC/USDT:USDT" a perpetual.
        timeframe: of the bars; None to infer it from the most frequent distance of rows.
        now: the present in ms UTC, by default the clock's.

    Raises:
        CandleError: a row that cannot be true, by row and value.
        TooLittleHistoryError: not one closed candle, or too few rows to infer the timeframe.
        DataError: columns that are missing or hold something else, or rows at no usual distance.
        UnknownTimeframeError: not a timeframe.
    """
    attempted = f"read the frame of {symbol}"
    time, values = frame_columns(frame, attempted)
    if timeframe is None:
        timeframe = infer_timeframe(time, attempted)
    columns = Columns(time, **values, synthetic=frame.attrs.get("synthetic") is True)
    checked = check_candles(columns, timeframe, now_ms() if now is None else now)
    checked.report.require(f"the frame of {symbol}")
    if checked.report.conflicts:
        _LOG.warning(
            "the frame of %s: %d rows contradict each other and are left out", symbol, checked.report.conflicts
        )
    if not len(checked.kept):
        raise TooLittleHistoryError(attempted, found=f"no closed candle in {len(time)} rows", expected="at least one")
    kept = {name: getattr(checked.kept, name) for name in ("time", *CANDLE_COLUMNS)}
    return Candles(symbol, timeframe, **kept, synthetic=checked.kept.synthetic)


def split_frame(frame: pd.DataFrame) -> dict[str, pd.DataFrame] | None:
    """Symbol -> its rows, of a frame with a column `symbol` or `pair`; None for a frame without one."""
    names = {str(name).strip().lower(): name for name in frame.columns}
    column = next((names[name] for name in SYMBOL_COLUMNS if name in names), None)
    if column is None:
        return None
    return {str(symbol): rows for symbol, rows in frame.groupby(column, sort=True)}


def infer_timeframe(time: IntArray, attempted: str) -> str:
    """The timeframe of bars that open at these times, in any order: the most frequent distance.

    Raises:
        TooLittleHistoryError: fewer than two different times.
        DataError: a distance that no timeframe has.
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
