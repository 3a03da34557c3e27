"""Guard against consecutive losses."""

from __future__ import annotations

import math

from quorate.core.errors import TradingError
from quorate.core.sections.guards import NO_LOSSES
from quorate.core.settings import GuardSettings
from quorate.trading.guards.guard import Guard
from quorate.trading.guards.guard_events import TradeClosed

# Tolerance for sums of money at a limit: -8 may be computed as -8.000000000000002.
TOLERANCE_USD = 1e-9


class LossesGuard(Guard[TradeClosed]):
    """Trips when each of the last closed trades, of any market, lost more than the limit. Other trades reset the count.

    Raises:
        TradingError: (`on`) a result that is not finite.
    """

    name = "losses"
    rearm = "human"
    events = (TradeClosed,)

    @classmethod
    def used(cls, settings: GuardSettings) -> bool:
        return settings.losses < NO_LOSSES

    def __init__(self, settings: GuardSettings, symbol: str | None = None) -> None:
        super().__init__(settings, symbol)
        self._consecutive = 0

    def on(self, event: TradeClosed) -> None:
        net_usd = event.trade.net_usd
        if not math.isfinite(net_usd):
            raise TradingError("count a closed trade", found=f"a net result of {net_usd}", expected="a finite number")
        limit = self.settings.loss_usd
        self._consecutive = self._consecutive + 1 if net_usd < -limit - TOLERANCE_USD else 0
        if self._consecutive >= self.settings.losses:
            self._trip(event.time, f"the last {self._consecutive} closed trades each lost more than {limit:,.2f} USD")

    @property
    def state(self) -> str:
        return f"{self._consecutive} of {self.settings.losses} losses over {self.settings.loss_usd:,.2f} USD in a row"

    def _reset(self) -> None:
        self._consecutive = 0
