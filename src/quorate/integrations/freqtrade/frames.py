"""Freqtrade's data frame to candles: the one edge where the strategy meets pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from quorate.core.clock import format_ms
from quorate.core.errors import CandleError, FreqtradeError
from quorate.core.types import CANDLE_COLUMNS, PRICE_COLUMNS, BoolArray, Candles, FloatArray, IntArray

if TYPE_CHECKING:
    import pandas as pd


class Market(NamedTuple):
    """The candles of a frame.

    Attributes:
        candles: of the pair.
        rows: (n,) int64, the frame's row of each candle.
    """

    candles: Candles
    rows: IntArray


def read_frame(frame: pd.DataFrame, pair: str, timeframe: str) -> Market:
    """The candles of Freqtrade's frame; whatever other columns it has are not looked at.

    Freqtrade fills a gap with bars without volume at the last close. Here a gap stays a gap: those rows are no candles,
    and neither is a bar in which the market really stood still, since nothing tells the two apart.

    Raises:
        FreqtradeError: a column missing.
        CandleError: NaN, infinity, a price of 0 or less or a negative volume; row and value are named.
        DataError: times that do not increase.
    """
    lacking = [name for name in ("date", *CANDLE_COLUMNS) if name not in frame.columns]
    if lacking:
        raise FreqtradeError(
            f"read Freqtrade's frame of {pair}",
            found=f"no column {', '.join(lacking)}",
            expected=f"date, {', '.join(CANDLE_COLUMNS)}",
        )
    try:
        columns: dict[str, FloatArray] = {name: frame[name].to_numpy(np.float64) for name in CANDLE_COLUMNS}
    except (TypeError, ValueError) as error:
        raise CandleError(
            f"read Freqtrade's frame of {pair}", found=str(error), expected="columns of numbers"
        ) from error
    dates = frame["date"]
    if len(frame) and dates.dtype.kind != "M":
        raise CandleError(f"read Freqtrade's frame of {pair}", found=f"dates of {dates.dtype}", expected="UTC dates")
    if len(frame) and dates.isna().any():
        row = int(np.flatnonzero(dates.isna().to_numpy())[0])
        raise CandleError(f"read Freqtrade's frame of {pair}", found=f"no date in row {row}", expected="a date a row")
    for name, values in columns.items():
        fine = np.isfinite(values) & ((values > 0) if name in PRICE_COLUMNS else (values >= 0))
        if not fine.all():
            row = int(np.flatnonzero(~fine)[0])
            raise CandleError(
                f"read Freqtrade's frame of {pair}",
                found=f"{name} {values[row]} in row {row}, {dates.iloc[row]}",
                expected="prices above 0 and volumes of at least 0, all finite",
                remedy="No entry until the frame is whole again; check the exchange's data.",
            )
    rows = np.flatnonzero(~_filled(columns))
    kept = frame if len(rows) == len(frame) else frame.iloc[rows]
    candles = Candles.from_pandas(kept[["date", *CANDLE_COLUMNS]], pair, timeframe)
    return Market(candles, rows.astype(np.int64))


def last_bar(candles: Candles) -> str:
    """The newest bar in words, for messages."""
    return format_ms(int(candles.time[-1])) if len(candles) else "no bar"


def _filled(columns: dict[str, FloatArray]) -> BoolArray:
    """(n,) whether a row is what Freqtrade puts in a gap."""
    close = columns["close"]
    filled: BoolArray = columns["volume"] == 0
    for name in ("open", "high", "low"):
        filled &= columns[name] == close
    filled[1:] &= close[1:] == close[:-1]
    filled[:1] = False
    return filled
