"""One feed for two sessions, so that both see the same candles of every bar."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from quorate.core.types import Candles, Funding
from quorate.market.feed import BarReport, Feed


class SharedFeed:
    """A `Feed` that keeps the report of the newest bar: who asks for it later gets the same one.

    Args:
        feed: of the candles.
    """

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._begin: int | None = None
        self._report: BarReport | None = None

    @property
    def timeframe(self) -> str:
        """Timeframe of the bars."""
        return self._feed.timeframe

    @property
    def symbols(self) -> tuple[str, ...]:
        """The markets, sorted."""
        return self._feed.symbols

    def begin(self) -> int:
        """Open time of the first bar in ms; the same at every call."""
        if self._begin is None:
            self._begin = self._feed.begin()
        return self._begin

    def wait(self, bar: int) -> BarReport | None:
        """The report of the bar that opens at `bar`; None at the end of the feed and after `stop`."""
        if self._report is None or self._report.time != bar:
            self._report = self._feed.wait(bar)
        return self._report

    def opens(self, time: int) -> Mapping[str, float]:
        """Market -> open price of the bar at `time`."""
        return self._feed.opens(time)

    def marks(self, start: int, end: int, symbols: Collection[str] | None = None) -> Mapping[str, Candles]:
        """Market -> mark prices of a span."""
        return self._feed.marks(start, end, symbols)

    def funding(self, start: int, end: int, symbols: Collection[str] | None = None) -> Mapping[str, Funding]:
        """Market -> settlements of a span."""
        return self._feed.funding(start, end, symbols)

    def age_ms(self, time: int) -> int:
        """Milliseconds since `time` by the exchange's clock; 0 in a replay."""
        return self._feed.age_ms(time)

    def stop(self) -> None:
        """End a running `wait`; later calls return None."""
        self._feed.stop()
