"""Losses in a row."""

from __future__ import annotations

import math

from quorate.core.errors import TradingError
from quorate.core.settings import GuardSettings
from quorate.trading.guards.guard import Guard

# Sums of money this close to a limit reach it and do not exceed it: -8 may come out as -8.000000000000002.
TOLERANCE_USD = 1e-9


class LossesGuard(Guard):
    """The last trades to be closed, of any market, each lost more than the limit; any other trade starts anew."""

    name = "losses"
    rearm = "human"

    def __init__(self, settings: GuardSettings) -> None:
        super().__init__()
        self._settings = settings
        self._in_a_row = 0

    def closed(self, time: int, net_usd: float) -> None:
        """A trade was closed.

        Args:
            time: ms.
            net_usd: its net result.

        Raises:
            TradingError: a result that is not finite.
        """
        if not math.isfinite(net_usd):
            raise TradingError("count a closed trade", found=f"a net result of {net_usd}", expected="a finite number")
        limit = self._settings.loss_usd
        self._in_a_row = self._in_a_row + 1 if net_usd < -limit - TOLERANCE_USD else 0
        if self._in_a_row >= self._settings.losses:
            self._trip(time, f"the last {self._in_a_row} closed trades each lost more than {limit:,.2f} USD")

    @property
    def state(self) -> str:
        return f"{self._in_a_row} of {self._settings.losses} losses over {self._settings.loss_usd:,.2f} USD in a row"

    def _start_over(self) -> None:
        self._in_a_row = 0
