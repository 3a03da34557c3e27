"""Conversion of Freqtrade's data frames to candles."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from quorate.core.errors import CandleError, FreqtradeError
from quorate.core.types import CANDLE_COLUMNS, PRICE_COLUMNS, BoolArray, Candles, FloatArray, IntArray

if TYPE_CHECKING:
    import pandas as pd


class FrameCandles(NamedTuple):
    """The candles of a data frame, without the rows that Freqtrade filled in.

    Attributes:
        candles: n candles of the pair.
        rows: (n,) int64, the frame's row of each candle.
    """

    candles: Candles
    rows: IntArray


def read_frame(frame: pd.DataFrame, pair: str, timeframe: str) -> FrameCandles:
    """Read the candles of Freqtrade's frame; other columns are ignored.

    Freqtrade fills a gap with bars at the last close and without volume. These rows are left out, so that a gap stays a
    gap. A bar without trades looks the same and is left out too.

    Raises:
        FreqtradeError: a column is missing.
        CandleError: NaN, infinity, a price of 0 or less or a negative volume; row and value are named.
        DataError: times that do not increase.
    """
    attempted = f"read Freqtrade's frame of {pair}"
    missing = [name for name in ("date", *CANDLE_COLUMNS) if name not in frame.columns]
    if missing:
        raise FreqtradeError(
            attempted, found=f"no column {', '.join(missing)}", expected=f"date, {', '.join(CANDLE_COLUMNS)}"
        )
    try:
        columns: dict[str, FloatArray] = {name: frame[name].to_numpy(np.float64) for name in CANDLE_COLUMNS}
    except (TypeError, ValueError) as error:
        raise CandleError(attempted, found=str(error), expected="columns of numbers") from error
    dates = frame["date"]
    if len(frame) and dates.dtype.kind != "M":
        raise CandleError(attempted, found=f"dates of {dates.dtype}", expected="UTC dates")
    if len(frame) and dates.isna().any():
        row = int(np.flatnonzero(dates.isna().to_numpy())[0])
        raise CandleError(attempted, found=f"no date in row {row}", expected="a date in every row")
    for name, values in columns.items():
        valid = np.isfinite(values) & ((values > 0) if name in PRICE_COLUMNS else (values >= 0))
        if not valid.all():
            row = int(np.flatnonzero(~valid)[0])
            raise CandleError(
                attempted,
                found=f"{name} {values[row]} in row {row}, {dates.iloc[row]}",
                expected="prices above 0 and volumes of at least 0, all finite",
                remedy="Check the exchange's data; there are no entries in the pair until its frame is valid.",
            )
    rows = np.flatnonzero(~_is_fill(columns))
    kept = frame if len(rows) == len(frame) else frame.iloc[rows]
    candles = Candles.from_pandas(kept[["date", *CANDLE_COLUMNS]], pair, timeframe)
    return FrameCandles(candles, rows.astype(np.int64))


def _is_fill(columns: dict[str, FloatArray]) -> BoolArray:
    """(n,) bool: rows that Freqtrade may have filled into a gap."""
    close = columns["close"]
    fill: BoolArray = columns["volume"] == 0
    for name in ("open", "high", "low"):
        fill &= columns[name] == close
    fill[1:] &= close[1:] == close[:-1]
    fill[:1] = False
    return fill
