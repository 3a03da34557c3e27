"""Guard against low mean confidence of the signals."""

from __future__ import annotations

import math
from collections import deque

from quorate.core.errors import TradingError
from quorate.core.settings import GuardSettings
from quorate.trading.guards.guard import Guard
from quorate.trading.guards.guard_events import SignalDecided

# Means this close to the limit count as equal to it, as in the vote.
_TOLERANCE = 1e-9


class ConfidenceGuard(Guard[SignalDecided]):
    """Trips when the mean base of the newest BUY and SELL signals, of any market, is below the limit.

    Re-arming discards the signals that tripped it.

    Raises:
        TradingError: (`on`) a base outside 0 to 1.
    """

    name = "confidence"
    rearm = "human"
    events = (SignalDecided,)

    @classmethod
    def used(cls, settings: GuardSettings) -> bool:
        return settings.confidence > 0

    def __init__(self, settings: GuardSettings, symbol: str | None = None) -> None:
        super().__init__(settings, symbol)
        self._bases: deque[float] = deque(maxlen=settings.signals)

    def on(self, event: SignalDecided) -> None:
        if not 0 <= event.base <= 1:
            raise TradingError("count a signal", found=f"a base of {event.base}", expected="0 to 1")
        self._bases.append(event.base)
        if len(self._bases) >= self.settings.signals_needed and self._mean < self.settings.confidence - _TOLERANCE:
            self._trip(
                event.time,
                f"the mean base of the last {len(self._bases)} signals is {self._mean:.1%}, "
                f"below {self.settings.confidence:.1%}",
            )

    @property
    def state(self) -> str:
        if not self._bases:
            return "no signal yet"
        needed = self.settings.signals_needed
        few = f", {needed} needed" if len(self._bases) < needed else ""
        return f"mean base {self._mean:.1%} over {len(self._bases)} signals{few}"

    @property
    def _mean(self) -> float:
        return math.fsum(self._bases) / len(self._bases)

    def _reset(self) -> None:
        self._bases.clear()
