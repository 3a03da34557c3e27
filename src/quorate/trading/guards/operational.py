"""Guards that watch what the others rely on: the clock, the feed, the value of the account."""

from __future__ import annotations

import math

from quorate.trading.guards.guard import Guard


class ClockGuard(Guard):
    """Our clock is too far from the exchange's; clears as soon as it is not."""

    name = "clock"
    rearm = "automatic"

    def __init__(self) -> None:
        super().__init__()
        self._skew_ms: int | None = None

    def compared(self, time: int, skew_ms: int | None, *, close: bool) -> None:
        """The clocks were compared.

        Args:
            time: ms.
            skew_ms: the exchange's less ours; None where unknown, which changes nothing.
            close: whether they are close enough for entries, by the settings of the feed.
        """
        self._skew_ms = skew_ms
        if skew_ms is None:
            return
        if close:
            self._clear(time, f"the clocks are {abs(skew_ms) / 1000:.1f} s apart")
        else:
            self._trip(time, f"our clock and the exchange's are {abs(skew_ms) / 1000:.1f} s apart")

    @property
    def state(self) -> str:
        return "not compared" if self._skew_ms is None else f"{self._skew_ms / 1000:+.1f} s"


class FeedGuard(Guard):
    """No candles for longer than the feed's settings allow; clears with the first one."""

    name = "feed"
    rearm = "automatic"

    def __init__(self, symbol: str | None = None) -> None:
        super().__init__(symbol)
        self._stale = False

    def heard(self, time: int, *, stale: bool) -> None:
        """How the feed stands at one bar."""
        self._stale = stale
        if stale:
            self._trip(time, f"no candles of {self.symbol or 'any market'} for too long")
        else:
            self._clear(time, "candles again")

    @property
    def state(self) -> str:
        return "stale" if self._stale else "fresh"


class ValuationGuard(Guard):
    """The equity is unknown, so no limit that hangs on it can be kept; clears with the first one that is known."""

    name = "valuation"
    rearm = "automatic"

    def __init__(self) -> None:
        super().__init__()
        self._known = True

    def valued(self, time: int, equity_usd: float) -> None:
        """The account was valued; not finite where unknown."""
        self._known = math.isfinite(equity_usd)
        if self._known:
            self._clear(time, "the equity is known again")
        else:
            self._trip(time, "the equity is unknown")

    @property
    def state(self) -> str:
        return "known" if self._known else "unknown"
