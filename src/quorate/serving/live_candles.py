"""The newest closed candles of an exchange, as its bars close."""

from __future__ import annotations

import asyncio

from quorate.core.clock import format_ms, timeframe_ms
from quorate.core.errors import DataError
from quorate.core.types.shards import ALL, Shard
from quorate.market.feed import BarReport, Feed, Freshness
from quorate.serving.candles import NewestCandles


class LiveCandles(NewestCandles):
    """Candles of a feed, which a thread follows.

    Args:
        feed: of the served markets.
        shard: that they are of.

    Raises:
        ExchangeError: the exchange does not respond at all.
    """

    def __init__(self, feed: Feed, shard: Shard = ALL) -> None:
        super().__init__(feed.symbols, feed.timeframe, shard)
        self._feed = feed
        first = feed.wait(feed.begin())
        if first is not None:
            self._take(first)

    def now(self) -> int:
        """The current time by the exchange's clock, in ms UTC."""
        return self._feed.age_ms(0)

    async def follow(self) -> None:
        """Keep the candles of each bar as it closes, until this is cancelled."""
        try:
            await asyncio.to_thread(self._follow)
        finally:
            self._feed.stop()

    def _follow(self) -> None:
        bar = self._feed.begin()
        while (report := self._feed.wait(bar)) is not None:
            self._take(report)
            # Bars that closed while the process slept are in the window of the newest one.
            bar = max(report.time + timeframe_ms(self.timeframe), self._feed.begin())

    def _take(self, report: BarReport) -> None:
        for candles in report.candles.values():
            self._keep(candles)
        for symbol, status in report.status.items():
            if status is not Freshness.FRESH:
                late = DataError(
                    f"read the newest candles of {symbol}",
                    found=f"a market that is {status.value}",
                    expected=f"the bar of {format_ms(report.time)}",
                )
                self._fail(symbol, late)
