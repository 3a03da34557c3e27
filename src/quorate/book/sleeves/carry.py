"""Carry: long the markets whose longs are paid, short those whose longs pay.

Koijen, Moskowitz, Pedersen and Vrugt, Carry, 2018; a perpetual's carry is the funding that it pays, with its sign
reversed.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from quorate.book.panel.daily_panel import DailyPanel
from quorate.book.panel.ranks import centred_ranks
from quorate.book.panel.rolling import rolling_mean
from quorate.book.sleeves.sides import balanced, smoothed
from quorate.book.sleeves.sleeve import Need, Sleeve
from quorate.core.types import FloatArray

_WINDOWS = (1, 3, 7, 14, 30)


class Carry(Sleeve):
    """Ranks of mean funding over several windows, over volatility; only markets whose funding is known."""

    name: ClassVar[str] = "carry"
    needs: ClassVar[frozenset[Need]] = frozenset({"candles", "funding"})

    @property
    def lookback_days(self) -> int:
        return max(_WINDOWS) + self.settings.smooth_days

    def weights(self, panel: DailyPanel) -> FloatArray:
        among = panel.universe(self.settings.carry_markets) & np.isfinite(panel.funding)
        signal = np.zeros_like(panel.funding)
        for days in _WINDOWS:
            # NaN in one window makes the signal unknown.
            signal -= centred_ranks(rolling_mean(panel.funding, days, max(1, days // 2)), among)
        return smoothed(balanced(signal, panel.volatility, among), self.settings.smooth_days)
