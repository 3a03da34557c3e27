"""Stored candles as they were at the time of a clock, for replays."""

from __future__ import annotations

from collections.abc import Callable

from quorate.core.clock import timeframe_ms
from quorate.core.types import Candles, Funding
from quorate.market.source import CandleSource


class RevealedCandles:
    """A `CandleSource` whose candles are those of another one that are closed at the time of a clock.

    Args:
        source: of the candles.
        clock: returns the time in ms.
    """

    def __init__(self, source: CandleSource, clock: Callable[[], int]) -> None:
        self._source, self._clock = source, clock

    def symbols(self, timeframe: str, perpetual: bool | None = None) -> tuple[str, ...]:
        """See `CandleSource`: all markets, also those whose candles begin later."""
        return self._source.symbols(timeframe, perpetual)

    def candles(self, symbol: str, timeframe: str, start: int | None = None, end: int | None = None) -> Candles:
        """See `CandleSource`."""
        return self._source.candles(symbol, timeframe, start, self._closed(timeframe, end))

    def funding(self, symbol: str, start: int | None = None, end: int | None = None) -> Funding | None:
        """See `CandleSource`."""
        now = self._clock() + 1
        return self._source.funding(symbol, start, now if end is None else min(end, now))

    def mark(self, symbol: str, timeframe: str, start: int | None = None, end: int | None = None) -> Candles | None:
        """See `CandleSource`."""
        return self._source.mark(symbol, timeframe, start, self._closed(timeframe, end))

    def _closed(self, timeframe: str, end: int | None) -> int:
        """End of the bars that are closed, exclusive: a bar is closed where open + length <= now."""
        closed = self._clock() - timeframe_ms(timeframe) + 1
        return closed if end is None else min(end, closed)
