"""Conversion of Freqtrade's data frames to candles."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from quorate.core.errors import CandleError, FreqtradeError
from quorate.core.types import CANDLE_COLUMNS, PRICE_COLUMNS, Candles, FloatArray, IntArray
from quorate.market.quality.quiet_bars import filled_bars

if TYPE_CHECKING:
    import pandas as pd


class FrameCandles(NamedTuple):
    """The candles of a data frame, without the rows that Freqtrade is known to have filled in.

    Attributes:
        candles: n candles of the pair.
        rows: (n,) int64, the frame's row of each candle.
    """

    candles: Candles
    rows: IntArray


def read_frame(frame: pd.DataFrame, pair: str, timeframe: str, stored: IntArray | None = None) -> FrameCandles:
    """Read the candles of Freqtrade's frame; other columns are ignored.

    Freqtrade fills a gap with bars at the last close and without volume, which look like bars without a trade. Where
    the stored bars are known, as in a backtest, the filled rows are left out, so that a gap stays a gap. Elsewhere they
    cannot be told apart, and every row is a candle.

    Args:
        frame: of one pair.
        pair: its name.
        timeframe: of the frame.
        stored: open times in ms of the pair's bars in the data folder; None where unknown.

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
    candles = Candles.from_pandas(frame[["date", *CANDLE_COLUMNS]], pair, timeframe)
    filled = filled_bars(candles, stored)
    rows = np.flatnonzero(~filled).astype(np.int64)
    if filled.any():
        candles = replace(candles, **{name: getattr(candles, name)[rows] for name in ("time", *CANDLE_COLUMNS)})
    return FrameCandles(candles, rows)
