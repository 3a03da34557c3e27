"""Time of a live feed: which bars are closed."""

from __future__ import annotations

from quorate.core.clock import newest_closed_ms, timeframe_ms
from quorate.core.types import IntArray
from quorate.market.exchange.exchange_source import Exchange


class LiveClock:
    """Which bars are closed, by the exchange's time.

    A bar is closed once it is closed by both clocks, or by the exchange's clock and its candles: a candle of a later
    bar, of any market, proves that the bar is over. So a local clock that is behind delays nothing, and a clock that is
    ahead, whichever it is, closes no running bar.

    Args:
        exchange: with both clocks.
        timeframe: of the bars.
    """

    def __init__(self, exchange: Exchange, timeframe: str) -> None:
        self._exchange, self._timeframe = exchange, timeframe
        self._newest = 0

    def now(self) -> int:
        """Time in ms UTC that has passed for certain."""
        return max(self._exchange.known_present().early, self._newest)

    def local(self) -> int:
        """Time in ms UTC by the local clock."""
        return self._exchange.clock()

    def there(self) -> int:
        """Time in ms UTC by the exchange's clock, or by the local one while the exchange's is unknown."""
        return self._exchange.clock() + (self._exchange.skew_ms or 0)

    def closed(self) -> int:
        """Open time in ms UTC of the newest closed bar."""
        return newest_closed_ms(self._timeframe, self.now())

    def is_over(self, bar: int) -> bool:
        """Whether a candle of a later bar than the one at `bar` was received."""
        return self._newest >= bar + timeframe_ms(self._timeframe)

    def note(self, times: IntArray) -> None:
        """Note the open times in ms UTC of received candles; those after the exchange's time prove nothing."""
        possible = times[times <= self.there()]
        if len(possible):
            self._newest = max(self._newest, int(possible.max()))
