"""Guards of accounts that hold positions by target: fall below the highest equity, and gross exposure."""

from __future__ import annotations

import math

from quorate.core.settings import GuardSettings
from quorate.trading.guards.guard import Guard
from quorate.trading.guards.guard_events import AccountValued, ExposureMeasured


class _PeakGuard(Guard[AccountValued]):
    """Counts the highest equity so far, and how far the newest one is below it. One that is not finite is ignored."""

    events = (AccountValued,)

    def __init__(self, settings: GuardSettings, symbol: str | None = None) -> None:
        super().__init__(settings, symbol)
        self._peak, self._equity = -math.inf, -math.inf

    @property
    def state(self) -> str:
        if not self._peak > 0:
            return "not valued yet"
        return f"{self._fall:.1%} below the peak of {self._peak:,.2f} USD"

    @property
    def _fall(self) -> float:
        return 1 - self._equity / self._peak if self._peak > 0 else 0.0

    def _value(self, equity_usd: float) -> bool:
        if not math.isfinite(equity_usd):
            return False
        self._equity, self._peak = equity_usd, max(self._peak, equity_usd)
        return True


class ReducingGuard(_PeakGuard):
    """Trips while the equity is farther below its peak than the limit: positions may only shrink."""

    name = "reducing"
    rearm = "automatic"

    @classmethod
    def used(cls, settings: GuardSettings) -> bool:
        return settings.reduce_drawdown > 0

    def on(self, event: AccountValued) -> None:
        if not self._value(event.equity_usd):
            return
        limit = self.settings.reduce_drawdown
        if self._fall > limit > 0:
            self._trip(event.time, f"equity is {self._fall:.1%} below its peak, more than {limit:.1%}")
        else:
            self._clear(event.time, f"equity is {self._fall:.1%} below its peak")


class PeakDrawdownGuard(_PeakGuard):
    """Trips when the equity is farther below its peak than the limit: everything is closed until a person re-arms it.

    The peak is then counted anew from the equity at that time.
    """

    name = "peak_drawdown"
    rearm = "human"

    @classmethod
    def used(cls, settings: GuardSettings) -> bool:
        return settings.halt_drawdown > 0

    def on(self, event: AccountValued) -> None:
        limit = self.settings.halt_drawdown
        if self._value(event.equity_usd) and self._fall > limit > 0:
            self._trip(event.time, f"equity is {self._fall:.1%} below its peak, more than {limit:.1%}")

    def _reset(self) -> None:
        self._peak = self._equity


class GrossGuard(Guard[ExposureMeasured]):
    """Trips while the values of all positions are more than the limit allows of the equity."""

    name = "gross"
    rearm = "automatic"
    events = (ExposureMeasured,)

    def __init__(self, settings: GuardSettings, symbol: str | None = None) -> None:
        super().__init__(settings, symbol)
        self._gross: float | None = None

    @classmethod
    def used(cls, settings: GuardSettings) -> bool:
        return settings.gross > 0

    def on(self, event: ExposureMeasured) -> None:
        limit, self._gross = self.settings.gross, event.gross
        if event.gross > limit > 0:
            self._trip(event.time, f"positions of {event.gross:.2f} times the equity, more than {limit:.2f}")
        else:
            self._clear(event.time, f"positions of {event.gross:.2f} times the equity")

    @property
    def state(self) -> str:
        return "not measured" if self._gross is None else f"{self._gross:.2f} times the equity"
