"""What a day may cost."""

from __future__ import annotations

import math

from quorate.core.clock import DAY_MS, format_ms
from quorate.core.settings import GuardSettings
from quorate.trading.guards.consecutive_losses import TOLERANCE_USD
from quorate.trading.guards.guard import Guard


class DrawdownGuard(Guard):
    """Marked equity is farther below its peak of the UTC day than the limit.

    The equity at midnight, which is the last one before it, is the new day's first peak. A bar belongs to the day it
    opens in. A day that breaks the limit while the guard is tripped puts the re-arming off to the day after that one.
    """

    name = "drawdown"
    rearm = "human"

    def __init__(self, settings: GuardSettings) -> None:
        super().__init__()
        self._settings = settings
        self._day: int | None = None
        self._peak = -math.inf
        self._equity = -math.inf

    def valued(self, time: int, equity_usd: float) -> None:
        """The account was valued.

        Args:
            time: ms.
            equity_usd: open positions at their marks, and all costs paid so far; not finite where unknown, which says
                nothing here.
        """
        if not math.isfinite(equity_usd):
            return
        self._turn(time)
        self._equity = equity_usd
        self._peak = max(self._peak, equity_usd)
        if self._fall > self._settings.drawdown_usd + TOLERANCE_USD:
            tomorrow = ((self._day or 0) + 1) * DAY_MS
            self._trip(
                time,
                f"equity {equity_usd:,.2f} is {self._fall:,.2f} USD below the day's peak of {self._peak:,.2f}, "
                f"more than {self._settings.drawdown_usd:,.2f}",
                tomorrow,
            )

    @property
    def state(self) -> str:
        if self._day is None:
            return "not valued yet"
        return (
            f"{self._fall:,.2f} USD below the peak of {format_ms(self._day * DAY_MS)[:10]}, "
            f"at most {self._settings.drawdown_usd:,.2f}"
        )

    @property
    def _fall(self) -> float:
        return self._peak - self._equity

    def _turn(self, time: int) -> None:
        """To the day of this time; never back: a day's last bar may be valued after a person has begun the next."""
        day = time // DAY_MS
        if self._day is None or day > self._day:
            self._day, self._peak = day, self._equity

    def _start_over(self) -> None:
        # Only in a later day than the one that tripped it: its peak is gone, whether that day has been valued or not.
        self._turn(self.until or 0)
