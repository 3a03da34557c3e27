"""Candles of many markets on one grid of 4-hour bars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from quorate.core.clock import HOUR_MS, format_ms, timeframe_ms
from quorate.core.errors import DataError
from quorate.core.types import Candles, FloatArray, IntArray

#: Length of a bar of the book.
BAR_MS = 4 * HOUR_MS


@dataclass(frozen=True, slots=True, eq=False)
class BarGrid:
    """4-hour bars of S markets, without a gap in time; NaN where a market has no bar.

    Attributes:
        symbols: of the columns, sorted.
        time: (B,) int64 open times in ms.
        open, high, low, close: (B, S) prices.
        volume: (B, S) in base units.
    """

    symbols: tuple[str, ...]
    time: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray

    @classmethod
    def of(cls, candles: Mapping[str, Candles]) -> BarGrid:
        """The grid from the first bar of all markets to the last one.

        Bars shorter than 4 hours are joined; one with a part missing is left out.

        Args:
            candles: symbol -> candles of 4h or of a timeframe that divides it.

        Raises:
            DataError: no bars, or a timeframe that does not divide 4h.
        """
        bars = {symbol: four_hour_bars(candles[symbol]) for symbol in sorted(candles)}
        bars = {symbol: each for symbol, each in bars.items() if len(each)}
        if not bars:
            raise DataError("build the panel of a book", found="no bars", expected="candles of 4h or shorter bars")
        first = min(int(each.time[0]) for each in bars.values())
        last = max(int(each.time[-1]) for each in bars.values())
        time = np.arange(first, last + BAR_MS, BAR_MS)
        columns = {}
        for name in ("open", "high", "low", "close", "volume"):
            columns[name] = np.full((len(time), len(bars)), np.nan)
            for number, each in enumerate(bars.values()):
                columns[name][(each.time - first) // BAR_MS, number] = getattr(each, name)
        return cls(tuple(bars), time, **columns)

    @property
    def moments(self) -> IntArray:
        """(B + 1,) int64: the open of each bar in ms, and the close of the last one."""
        return np.append(self.time, self.time[-1] + BAR_MS)

    @property
    def known_close(self) -> FloatArray:
        """(B + 1, S): the close of the bar that ends at each moment."""
        return np.concatenate([np.full((1, len(self.symbols)), np.nan), self.close])


def four_hour_bars(candles: Candles) -> Candles:
    """The candles as bars of 4 hours.

    Raises:
        DataError: a timeframe that does not divide 4h, or bars that open at other hours.
    """
    length = timeframe_ms(candles.timeframe)
    if BAR_MS % length:
        raise DataError(
            f"use {candles.timeframe} candles of {candles.symbol} in a book",
            found=candles.timeframe,
            expected="4h, or a timeframe that divides it, such as 1h",
        )
    if length == BAR_MS:
        off = candles.time % BAR_MS != 0
        if off.any():
            raise DataError(
                f"use 4h candles of {candles.symbol} in a book",
                found=f"a bar that opens at {format_ms(int(candles.time[off][0]))}",
                expected="bars that open at 00:00, 04:00, ... UTC",
            )
        return candles
    bar = candles.time // BAR_MS
    first = np.flatnonzero(np.diff(bar, prepend=bar[:1] - 1))
    count = np.diff(np.append(first, len(bar)))
    whole = count == BAR_MS // length
    first, last = first[whole], (first + count - 1)[whole]
    if not len(first):
        return candles[:0]
    rows = first[:, None] + np.arange(BAR_MS // length)
    return Candles(
        symbol=candles.symbol,
        timeframe="4h",
        time=bar[first] * BAR_MS,
        open=candles.open[first],
        high=candles.high[rows].max(axis=1),
        low=candles.low[rows].min(axis=1),
        close=candles.close[last],
        volume=candles.volume[rows].sum(axis=1),
        synthetic=candles.synthetic,
    )
