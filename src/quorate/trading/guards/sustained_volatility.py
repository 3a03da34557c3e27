"""A market that is too wild for its stops."""

from __future__ import annotations

import math

from quorate.core.clock import format_ms
from quorate.core.errors import TradingError
from quorate.core.settings import GuardSettings
from quorate.trading.guards.guard import Guard


class VolatilityGuard(Guard):
    """volatility_20 of one market is above the limit on so many closed bars in a row; clears below a lower one.

    An unknown volatility neither makes a row longer nor ends it on the way up, and ends it on the way down.
    """

    name = "volatility"
    rearm = "automatic"

    def __init__(self, settings: GuardSettings, symbol: str) -> None:
        super().__init__(symbol)
        self._settings = settings
        self._time: int | None = None
        self._newest: float = math.nan
        self._high_bars = self._low_bars = 0

    def measured(self, time: int, volatility: float) -> None:
        """The volatility on one closed bar, a fraction; not finite where unknown.

        Raises:
            TradingError: a bar that is not after the one before.
        """
        if self._time is not None and time <= self._time:
            raise TradingError(
                f"measure the volatility of {self.symbol} at {format_ms(time)}",
                found="a bar that has been measured or lies before one that was",
                expected="each bar once and in order",
            )
        self._time, self._newest = time, volatility
        asked = self._settings
        if not math.isfinite(volatility):
            self._low_bars = 0
        else:
            self._high_bars = self._high_bars + 1 if volatility > asked.volatility else 0
            self._low_bars = self._low_bars + 1 if volatility < asked.volatility_clear else 0
        if self._high_bars >= asked.volatility_bars:
            self._trip(time, f"volatility above {asked.volatility:.1%} on {self._high_bars} bars in a row")
        elif self._low_bars >= asked.volatility_bars:
            self._clear(time, f"volatility below {asked.volatility_clear:.1%} on {self._low_bars} bars in a row")

    @property
    def state(self) -> str:
        newest = f"{self._newest:.2%}" if math.isfinite(self._newest) else "unknown"
        needed = self._settings.volatility_bars
        counted, limit = (
            (self._low_bars, f"below {self._settings.volatility_clear:.1%}")
            if self.tripped
            else (self._high_bars, f"above {self._settings.volatility:.1%}")
        )
        return f"{newest}, {counted} of {needed} bars {limit}"
