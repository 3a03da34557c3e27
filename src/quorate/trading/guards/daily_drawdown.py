"""Guard against the drawdown of a day."""

from __future__ import annotations

import math

from quorate.core.clock import DAY_MS, format_ms
from quorate.core.sections.guards import NO_DRAWDOWN_USD
from quorate.core.settings import GuardSettings
from quorate.trading.guards.consecutive_losses import TOLERANCE_USD
from quorate.trading.guards.guard import Guard
from quorate.trading.guards.guard_events import AccountValued


class DrawdownGuard(Guard[AccountValued]):
    """Trips when the equity is farther below its peak of the UTC day than the limit.

    The last equity before midnight is the first peak of the new day. A bar belongs to the day in which it opens. A day
    that exceeds the limit while the guard is tripped moves the earliest re-arming to the day after it. An equity that
    is not finite is ignored.
    """

    name = "drawdown"
    rearm = "human"
    events = (AccountValued,)

    @classmethod
    def used(cls, settings: GuardSettings) -> bool:
        return settings.drawdown_usd < NO_DRAWDOWN_USD

    def __init__(self, settings: GuardSettings, symbol: str | None = None) -> None:
        super().__init__(settings, symbol)
        self._day: int | None = None
        self._peak = -math.inf
        self._equity = -math.inf

    def on(self, event: AccountValued) -> None:
        if not math.isfinite(event.equity_usd):
            return
        self._begin_day(event.time)
        self._equity = event.equity_usd
        self._peak = max(self._peak, event.equity_usd)
        if self._drawdown > self.settings.drawdown_usd + TOLERANCE_USD:
            tomorrow = ((self._day or 0) + 1) * DAY_MS
            self._trip(
                event.time,
                f"equity {event.equity_usd:,.2f} is {self._drawdown:,.2f} USD below the day's peak of "
                f"{self._peak:,.2f}, more than {self.settings.drawdown_usd:,.2f}",
                tomorrow,
            )

    @property
    def state(self) -> str:
        if self._day is None:
            return "not valued yet"
        return (
            f"{self._drawdown:,.2f} USD below the peak of {format_ms(self._day * DAY_MS)[:10]}, "
            f"at most {self.settings.drawdown_usd:,.2f}"
        )

    @property
    def _drawdown(self) -> float:
        return self._peak - self._equity

    def _begin_day(self, time: int) -> None:
        """Go to the day of this time, never back: the last bar of a day may be valued after a re-arming in the next."""
        day = time // DAY_MS
        if self._day is None or day > self._day:
            self._day, self._peak = day, self._equity

    def _reset(self) -> None:
        # Re-arming is possible from the day after `until` was set: the old day's peak no longer counts, even if the new
        # day has not been valued yet.
        self._begin_day(self.until or 0)
