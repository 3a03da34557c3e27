"""Members that no longer believe what they say."""

from __future__ import annotations

import math
from collections import deque

from quorate.core.errors import TradingError
from quorate.core.settings import GuardSettings
from quorate.trading.guards.guard import Guard

# Means this close to the limit reach it, as in the vote.
_TOLERANCE = 1e-9


class ConfidenceGuard(Guard):
    """The mean base of the newest BUY and SELL signals, of any market, is below the limit.

    Once re-armed, it waits for new signals: those that tripped it are forgotten.
    """

    name = "confidence"
    rearm = "human"

    def __init__(self, settings: GuardSettings) -> None:
        super().__init__()
        self._settings = settings
        self._bases: deque[float] = deque(maxlen=settings.signals)

    def signalled(self, time: int, base: float) -> None:
        """A BUY or SELL was decided.

        Args:
            time: ms.
            base: its weighted mean score before the boost.

        Raises:
            TradingError: a base outside 0 to 1.
        """
        if not 0 <= base <= 1:
            raise TradingError("count a signal", found=f"a base of {base}", expected="0 to 1")
        self._bases.append(base)
        if len(self._bases) >= self._settings.signals_needed and self._mean < self._settings.confidence - _TOLERANCE:
            self._trip(
                time,
                f"the mean base of the last {len(self._bases)} signals is {self._mean:.1%}, "
                f"below {self._settings.confidence:.1%}",
            )

    @property
    def state(self) -> str:
        if not self._bases:
            return "no signal yet"
        needed = self._settings.signals_needed
        few = f", {needed} needed" if len(self._bases) < needed else ""
        return f"mean base {self._mean:.1%} over {len(self._bases)} signals{few}"

    @property
    def _mean(self) -> float:
        return math.fsum(self._bases) / len(self._bases)

    def _start_over(self) -> None:
        self._bases.clear()
