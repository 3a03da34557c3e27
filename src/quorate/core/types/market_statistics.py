"""Statistics of a perpetual that an exchange publishes beside its candles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from quorate.core.arguments import TEXT, require_types
from quorate.core.clock import format_ms, timeframe_ms
from quorate.core.errors import DataError
from quorate.core.text.plural import counted
from quorate.core.types.arrays import FloatArray, IntArray, freeze

STATISTICS = (
    "open_interest",
    "open_interest_usd",
    "long_short_accounts",
    "long_short_top_accounts",
    "long_short_top_positions",
    "taker_buy_ratio",
    "taker_buy_volume",
    "taker_sell_volume",
    "premium",
)


@dataclass(frozen=True, slots=True, eq=False)
class MarketStatistics:
    """Statistics of one market in intervals of one length, oldest first.

    The values of a row are known once its interval has ended, at `time` plus the length of `timeframe`, and not before.

    Attributes:
        symbol: in ccxt's form.
        timeframe: length of an interval: "5m", "1h", ...
        time: (n,) int64, when the intervals begin, in ms UTC, strictly increasing; missing intervals are not filled.
        open_interest: (n,) float64, contracts that are open, in base units.
        open_interest_usd: (n,) float64, their value in quote units.
        long_short_accounts: (n,) float64, accounts that are long for each that is short.
        long_short_top_accounts: (n,) float64, the same of the fifth of accounts with most margin.
        long_short_top_positions: (n,) float64, their long positions for each short one, by value.
        taker_buy_ratio: (n,) float64, volume that takers bought for each unit that they sold.
        taker_buy_volume: (n,) float64, volume that takers bought in the interval, in base units.
        taker_sell_volume: (n,) float64, volume that takers sold in the interval, in base units.
        premium: (n,) float64, the perpetual's price above its index at the end of the interval, a fraction.

    NaN wherever the exchange gives no value. The arrays are read-only views.

    Raises:
        DataError: columns of different lengths, or times that do not increase.
    """

    symbol: str
    timeframe: str
    time: IntArray
    open_interest: FloatArray
    open_interest_usd: FloatArray
    long_short_accounts: FloatArray
    long_short_top_accounts: FloatArray
    long_short_top_positions: FloatArray
    taker_buy_ratio: FloatArray
    taker_buy_volume: FloatArray
    taker_sell_volume: FloatArray
    premium: FloatArray

    def __post_init__(self) -> None:
        attempted = "build market statistics"
        require_types(attempted, symbol=(self.symbol, TEXT))
        timeframe_ms(self.timeframe)
        freeze(self, ("time",), np.int64)
        freeze(self, STATISTICS, np.float64)
        lengths = {name: len(getattr(self, name)) for name in ("time", *STATISTICS)}
        if len(set(lengths.values())) > 1:
            raise DataError(f"{attempted} of {self.symbol}", found=f"columns of {lengths} rows", expected="one length")
        backwards = np.flatnonzero(self.time[1:] <= self.time[:-1])
        if backwards.size:
            row = int(backwards[0]) + 1
            raise DataError(
                f"{attempted} of {self.symbol}",
                found=f"row {row} at {format_ms(int(self.time[row]))} not after the row before it",
                expected="increasing times",
                remedy="Sort the rows and remove duplicates.",
            )

    @classmethod
    def of(cls, symbol: str, timeframe: str, time: IntArray, known: Mapping[str, FloatArray]) -> Self:
        """Build statistics of which only some are known; the others are NaN.

        Args:
            symbol: in ccxt's form.
            timeframe: length of an interval.
            time: (n,) int64, when the intervals begin, in ms UTC.
            known: name -> (n,) float64.

        Raises:
            DataError: a name that is no statistic; else as the class.
        """
        unknown = sorted(set(known) - set(STATISTICS))
        if unknown:
            raise DataError(
                f"build market statistics of {symbol}",
                found=f"the names {', '.join(unknown)}",
                expected=f"some of {', '.join(STATISTICS)}",
            )
        columns = {name: known.get(name, np.full(len(time), np.nan)) for name in STATISTICS}
        return cls(symbol, timeframe, time, **columns)

    def __repr__(self) -> str:
        span = f", {format_ms(int(self.time[0]))} to {format_ms(int(self.time[-1]))}" if len(self) else ""
        return f"MarketStatistics({self.symbol}, {self.timeframe}: {counted(len(self), 'row')}{span})"

    def __len__(self) -> int:
        return len(self.time)

    @property
    def known(self) -> tuple[str, ...]:
        """Names of the statistics that have a value in any row."""
        return tuple(name for name in STATISTICS if bool(np.isfinite(getattr(self, name)).any()))

    @property
    def values(self) -> dict[str, FloatArray]:
        """Name -> (n,) float64 of every statistic."""
        return {name: getattr(self, name) for name in STATISTICS}

    @property
    def taker_buy_share(self) -> FloatArray:
        """(n,) float64, volume that takers bought as a fraction of all volume: by the volumes, else by the ratio.

        NaN where neither is known, or nothing was traded.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            by_volume = self.taker_buy_volume / (self.taker_buy_volume + self.taker_sell_volume)
            by_ratio = self.taker_buy_ratio / (1.0 + self.taker_buy_ratio)
        return np.where(np.isfinite(by_volume), by_volume, by_ratio)

    def between(self, start: int | None = None, end: int | None = None) -> Self:
        """The intervals that begin at or after `start` and before `end`, both in ms UTC."""
        first = 0 if start is None else int(np.searchsorted(self.time, start))
        last = len(self) if end is None else max(first, int(np.searchsorted(self.time, end)))
        rows = slice(first, last)
        columns = {name: values[rows] for name, values in self.values.items()}
        return type(self)(self.symbol, self.timeframe, self.time[rows], **columns)
