"""Notices of a live feed: one when a state begins and one when it ends."""

from __future__ import annotations

import logging

from quorate.core.clock import format_ms
from quorate.core.errors import QuorateError
from quorate.core.sections.exchange import FeedSettings
from quorate.market.feed import Freshness, Notice

_LOG = logging.getLogger(__name__)

# Bars of a market whose doubtful prices are remembered, so that they are said once.
_DOUBTED = 100


class FeedLog:
    """Logs changes of state, and collects them as notices.

    Args:
        settings: limits of the clock difference.
    """

    def __init__(self, settings: FeedSettings) -> None:
        self._settings = settings
        self._notices: list[Notice] = []
        self._skew = "fine"
        self._down = False
        self._status: dict[str, Freshness] = {}
        self._doubted: dict[str, tuple[int, ...]] = {}

    def take(self) -> tuple[Notice, ...]:
        """Return the notices since the last call."""
        taken, self._notices = tuple(self._notices), []
        return taken

    def clock(self, skew_ms: int | None) -> None:
        """Record the clock difference: the exchange's clock minus the local clock in ms; None if unknown."""
        if skew_ms is None:
            state, text = "unknown", "the exchange's time could not be read"
        else:
            apart = abs(skew_ms) / 1000
            far = "stop" if apart > self._settings.skew_stop_s else "warn"
            state = far if apart > self._settings.skew_warn_s else "fine"
            text = f"the exchange's clock is {apart:.1f} s {'ahead of' if skew_ms > 0 else 'behind'} the local clock"
            text += "; no positions are entered" if state == "stop" else ""
        if state != self._skew:
            self._notify("skew", text if state != "fine" else "the clocks agree again")
        self._skew = state

    def exchange(self, down: bool) -> None:
        """Record whether all requests to the exchange failed."""
        if down != self._down:
            kind, text = ("down", "no response from the exchange") if down else ("up", "the exchange responds again")
            self._notify(kind, text)
        self._down = down

    def market(self, symbol: str, status: Freshness, error: QuorateError | None) -> None:
        """Record the status of one market."""
        before = self._status.get(symbol, Freshness.FRESH)
        if status != before:
            why = f": {error}" if error is not None and status != Freshness.FRESH else ""
            if status != Freshness.FRESH or before != Freshness.LATE:
                self._notify(str(status), f"{symbol} is {status}{why}", symbol)
        self._status[symbol] = status

    def revised(self, symbol: str, time: int) -> None:
        """Record that the exchange revised a closed candle."""
        self._notify("revised", f"the candle of {symbol} at {format_ms(time)} was revised", symbol)

    def doubtful(self, symbol: str, time: int, text: str) -> None:
        """Record a price that is not believed; once for each bar."""
        known = self._doubted.get(symbol, ())
        if time not in known:
            self._notify("implausible", text, symbol)
            self._doubted[symbol] = (*known[-_DOUBTED:], time)

    def faulty(self, symbol: str, time: int) -> None:
        """Record two different candles of one time, both of which are rejected."""
        self._notify("faulty", f"two candles of {symbol} at {format_ms(time)} contradict each other", symbol)

    def _notify(self, kind: str, text: str, symbol: str = "") -> None:
        _LOG.warning("%s", text)
        self._notices.append(Notice(kind, text, symbol))
