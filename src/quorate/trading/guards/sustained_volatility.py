"""Guard against sustained volatility of a market."""

from __future__ import annotations

import math

from quorate.core.clock import format_ms
from quorate.core.errors import TradingError
from quorate.core.settings import GuardSettings
from quorate.trading.guards.guard import Guard
from quorate.trading.guards.guard_events import VolatilityMeasured


class VolatilityGuard(Guard[VolatilityMeasured]):
    """Trips when the volatility of a market exceeds the limit on enough closed bars in a row.

    Clears when it is below the lower limit on as many. An unknown volatility is ignored while counting bars above the
    limit, and resets the count of bars below the lower one.

    Raises:
        TradingError: (`on`) a bar that is not after the one before.
    """

    name = "volatility"
    rearm = "automatic"
    events = (VolatilityMeasured,)
    scopes = ("market",)

    def __init__(self, settings: GuardSettings, symbol: str | None = None) -> None:
        super().__init__(settings, symbol)
        self._time: int | None = None
        self._newest: float = math.nan
        self._high_bars = self._low_bars = 0

    def on(self, event: VolatilityMeasured) -> None:
        time, volatility, settings = event.time, event.volatility, self.settings
        if self._time is not None and time <= self._time:
            raise TradingError(
                f"measure the volatility of {self.symbol} at {format_ms(time)}",
                found="a bar that is not after the last one measured",
                expected="each bar once and in order",
            )
        self._time, self._newest = time, volatility
        if not math.isfinite(volatility):
            self._low_bars = 0
        else:
            self._high_bars = self._high_bars + 1 if volatility > settings.volatility else 0
            self._low_bars = self._low_bars + 1 if volatility < settings.volatility_clear else 0
        if self._high_bars >= settings.volatility_bars:
            self._trip(time, f"volatility above {settings.volatility:.1%} on {self._high_bars} bars in a row")
        elif self._low_bars >= settings.volatility_bars:
            self._clear(time, f"volatility below {settings.volatility_clear:.1%} on {self._low_bars} bars in a row")

    @property
    def state(self) -> str:
        newest = f"{self._newest:.2%}" if math.isfinite(self._newest) else "unknown"
        needed = self.settings.volatility_bars
        counted, limit = (
            (self._low_bars, f"below {self.settings.volatility_clear:.1%}")
            if self.tripped
            else (self._high_bars, f"above {self.settings.volatility:.1%}")
        )
        return f"{newest}, {counted} of {needed} bars {limit}"
