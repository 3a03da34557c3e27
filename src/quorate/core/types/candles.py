"""What a market did: candles, and the funding of a perpetual."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from quorate.core.clock import format_ms, newest_closed_ms, timeframe_ms
from quorate.core.errors import DataError
from quorate.core.types.arrays import FloatArray, IntArray, freeze
from quorate.core.types.candle_frame import NO_TIME, frame_columns

if TYPE_CHECKING:
    import pandas as pd

PRICE_COLUMNS = ("open", "high", "low", "close")
CANDLE_COLUMNS = (*PRICE_COLUMNS, "volume")


@dataclass(frozen=True, slots=True, eq=False)
class Candles:
    """Candles of one market, oldest first.

    Attributes:
        symbol: ccxt's name: "BTC/USDT" is spot, "BTC/USDT:USDT" a perpetual.
        timeframe: "1h", "4h", ...
        time: (n,) int64, UTC open times in ms, strictly increasing; gaps stay gaps.
        open, high, low, close: (n,) float64 prices in quote units.
        volume: (n,) float64 in base units.
        synthetic: made by the synthetic market; every number derived from it says so.

    The arrays are read-only views. No NaN: market/quality/candle_checks.py is where rows are judged.

    Raises:
        DataError: columns of different lengths, or times that do not increase.
    """

    symbol: str
    timeframe: str
    time: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    synthetic: bool = False

    def __post_init__(self) -> None:
        timeframe_ms(self.timeframe)
        freeze(self, ("time",), np.int64)
        freeze(self, CANDLE_COLUMNS, np.float64)
        lengths = {name: len(getattr(self, name)) for name in ("time", *CANDLE_COLUMNS)}
        if len(set(lengths.values())) > 1:
            raise DataError(
                f"build candles of {self.symbol}", found=f"columns of {lengths} rows", expected="one length"
            )
        backwards = np.flatnonzero(self.time[1:] <= self.time[:-1])
        if backwards.size:
            row = int(backwards[0]) + 1
            raise DataError(
                f"build candles of {self.symbol}",
                found=f"row {row} at {format_ms(int(self.time[row]))} not after the row before it",
                expected="open times that increase",
                remedy="Sort the rows and remove duplicates.",
            )

    def __len__(self) -> int:
        return len(self.time)

    def __getitem__(self, rows: slice) -> Self:
        """The same market over some rows: a view, nothing is copied."""
        first, last, step = rows.indices(len(self))
        if (first, last, step) == (0, len(self), 1):
            return self
        return replace(self, **{name: getattr(self, name)[rows] for name in ("time", *CANDLE_COLUMNS)})

    def between(self, start: int | None = None, end: int | None = None) -> Self:
        """Bars that open at or after `start` and before `end`, both in ms."""
        first = 0 if start is None else int(np.searchsorted(self.time, start))
        last = len(self) if end is None else int(np.searchsorted(self.time, end))
        return self[first : max(first, last)]

    def tail(self, bars: int) -> Self:
        """The newest `bars` bars."""
        return self[max(0, len(self) - bars) :]

    def closed(self, now: int) -> Self:
        """Without a bar that is still running at `now`."""
        return self.between(end=newest_closed_ms(self.timeframe, now) + 1)

    @classmethod
    def from_pandas(cls, frame: pd.DataFrame, symbol: str, timeframe: str) -> Self:
        """The candles of a frame, its rows oldest first and not judged; `market.frames` reads any other.

        Args:
            frame: columns and times as in `frame_columns`.
            symbol: ccxt's name.
            timeframe: such as "1h".

        Raises:
            DataError: a column that is missing or holds something else, a row without a time, or times that do not
                increase.
        """
        attempted = f"read the frame of {symbol}"
        time, values = frame_columns(frame, attempted)
        unknown = np.flatnonzero(time == NO_TIME)
        if unknown.size:
            raise DataError(attempted, found=f"no time in row {int(unknown[0])}", expected="a time in every row")
        columns: dict[str, Any] = dict(values)
        return cls(symbol, timeframe, time, **columns)

    def to_pandas(self) -> pd.DataFrame:
        """A new frame with Freqtrade's columns; `date` is UTC."""
        import pandas as pd

        date = pd.to_datetime(self.time, unit="ms", utc=True)
        return pd.DataFrame({"date": date, **{name: getattr(self, name).copy() for name in CANDLE_COLUMNS}})


@dataclass(frozen=True, slots=True, eq=False)
class Funding:
    """Funding settlements of one perpetual.

    Attributes:
        time: (m,) int64, settlement times in ms UTC, increasing.
        rate: (m,) float64, fraction of the position's value; a long pays a positive rate.
    """

    symbol: str
    time: IntArray
    rate: FloatArray

    def __post_init__(self) -> None:
        freeze(self, ("time",), np.int64)
        freeze(self, ("rate",), np.float64)
        if len(self.time) != len(self.rate):
            raise DataError(f"build funding of {self.symbol}", found=f"{len(self.time)} times, {len(self.rate)} rates")

    def __len__(self) -> int:
        return len(self.time)
