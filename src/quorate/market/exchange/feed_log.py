"""What a live feed has to say, each thing once when it begins and once when it ends."""

from __future__ import annotations

import logging

from quorate.core.clock import format_ms
from quorate.core.errors import QuorateError
from quorate.core.sections.exchange import FeedSettings
from quorate.market.feed import Freshness, Notice

_LOG = logging.getLogger(__name__)


class FeedLog:
    """Turns states into notices where they change.

    Args:
        settings: how far apart clocks may be.
    """

    def __init__(self, settings: FeedSettings) -> None:
        self._settings = settings
        self._notices: list[Notice] = []
        self._skew = "fine"
        self._down = False
        self._status: dict[str, Freshness] = {}

    def take(self) -> tuple[Notice, ...]:
        """What was noticed since the last time."""
        taken, self._notices = tuple(self._notices), []
        return taken

    def clock(self, skew_ms: int | None) -> None:
        """The exchange's clock minus ours, in ms; None where it does not tell."""
        if skew_ms is None:
            state, text = "unknown", "the exchange does not tell its time"
        else:
            apart = abs(skew_ms) / 1000
            far = "stop" if apart > self._settings.skew_stop_s else "warn"
            state = far if apart > self._settings.skew_warn_s else "fine"
            text = f"the exchange's clock is {apart:.1f} s {'ahead of' if skew_ms > 0 else 'behind'} ours"
            text += "; nothing is entered" if state == "stop" else ""
        if state != self._skew:
            self._say("skew", text if state != "fine" else "the clocks agree again")
        self._skew = state

    def exchange(self, down: bool) -> None:
        """Whether the exchange did not answer at all."""
        if down != self._down:
            self._say("down" if down else "up", "no answer" if down else "the exchange answers again")
        self._down = down

    def market(self, symbol: str, status: Freshness, trouble: QuorateError | None) -> None:
        """How one market stands."""
        before = self._status.get(symbol, Freshness.FRESH)
        if status != before:
            why = f": {trouble}" if trouble is not None and status != Freshness.FRESH else ""
            if status != Freshness.FRESH or before != Freshness.LATE:
                self._say(str(status), f"{symbol} is {status}{why}", symbol)
        self._status[symbol] = status

    def revised(self, symbol: str, time: int) -> None:
        """The exchange changed a candle that was closed."""
        self._say("revised", f"the candle of {symbol} at {format_ms(time)} was revised", symbol)

    def faulty(self, symbol: str, time: int) -> None:
        """Two candles of one time that are not the same: neither is believed."""
        self._say("faulty", f"two candles of {symbol} at {format_ms(time)} contradict each other", symbol)

    def _say(self, kind: str, text: str, symbol: str = "") -> None:
        _LOG.warning("%s", text)
        self._notices.append(Notice(kind, text, symbol))
