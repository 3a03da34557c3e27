"""Guards of what trading depends on: clock, feed, valuation."""

from __future__ import annotations

import math

from quorate.core.settings import GuardSettings
from quorate.trading.guards.guard import Guard
from quorate.trading.guards.guard_events import AccountValued, ClocksCompared, FeedChecked


class ClockGuard(Guard[ClocksCompared]):
    """Trips while the local clock is too far from the exchange's. An unknown difference changes nothing."""

    name = "clock"
    rearm = "automatic"
    events = (ClocksCompared,)

    def __init__(self, settings: GuardSettings, symbol: str | None = None) -> None:
        super().__init__(settings, symbol)
        self._skew_ms: int | None = None

    def on(self, event: ClocksCompared) -> None:
        skew_ms = self._skew_ms = event.skew_ms
        if skew_ms is None:
            return
        if event.close:
            self._clear(event.time, f"the clocks are {abs(skew_ms) / 1000:.1f} s apart")
        else:
            self._trip(event.time, f"our clock and the exchange's are {abs(skew_ms) / 1000:.1f} s apart")

    @property
    def state(self) -> str:
        return "not compared" if self._skew_ms is None else f"{self._skew_ms / 1000:+.1f} s"


class FeedGuard(Guard[FeedChecked]):
    """Trips while there are no candles for longer than the feed's settings allow, of one market or of all."""

    name = "feed"
    rearm = "automatic"
    events = (FeedChecked,)
    scopes = ("account", "market")

    def __init__(self, settings: GuardSettings, symbol: str | None = None) -> None:
        super().__init__(settings, symbol)
        self._stale = False

    def on(self, event: FeedChecked) -> None:
        if event.symbol != self.symbol:  # the account's guard watches the whole feed only
            return
        self._stale = event.stale
        if event.stale:
            self._trip(event.time, f"no candles of {self.symbol or 'any market'} for too long")
        else:
            self._clear(event.time, "candles again")

    @property
    def state(self) -> str:
        return "stale" if self._stale else "fresh"


class ValuationGuard(Guard[AccountValued]):
    """Trips while the equity is unknown, since no limit on it can be checked then."""

    name = "valuation"
    rearm = "automatic"
    events = (AccountValued,)

    def __init__(self, settings: GuardSettings, symbol: str | None = None) -> None:
        super().__init__(settings, symbol)
        self._known = True

    def on(self, event: AccountValued) -> None:
        self._known = math.isfinite(event.equity_usd)
        if self._known:
            self._clear(event.time, "the equity is known again")
        else:
            self._trip(event.time, "the equity is unknown")

    @property
    def state(self) -> str:
        return "known" if self._known else "unknown"
