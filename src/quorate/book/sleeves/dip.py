"""Market-wide dips: the whole universe is bought after it has fallen fast, and held for a day.

A fall of all markets at once is in part forced selling, which is paid for by those who buy.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from quorate.book.panel.daily_panel import DAY_BARS, DailyPanel
from quorate.book.panel.decayed import decayed_deviation, half_life
from quorate.book.panel.rolling import rolling_highest, rolling_sum
from quorate.book.sleeves.sides import directional
from quorate.book.sleeves.sleeve import Sleeve
from quorate.core.settings import BookSettings
from quorate.core.types import FloatArray

# Bars of a fall, and how many deviations it has to reach: nine triggers.
_FALLS = (1, 2, 6)
_THRESHOLDS = (2.0, 2.5, 3.0)

# Bars of the half-life of the deviation of the universe's return: 30 days.
_HALF_LIFE = 180
_LEAST = 60


class Dip(Sleeve):
    """The share of the triggers that fired within the holding time, as a share of the equity long."""

    name: ClassVar[str] = "dip"
    by_bar: ClassVar[bool] = True

    @property
    def lookback_days(self) -> int:
        return 4 * _HALF_LIFE // DAY_BARS

    def weights(self, panel: DailyPanel) -> FloatArray:
        among = panel.universe(self.settings.markets)
        daily = directional(np.ones_like(panel.close), panel.volatility, among)
        return panel.by_moment(daily) * dip_score(panel, self.settings)[:, None] * self.settings.dip_share


def dip_score(panel: DailyPanel, settings: BookSettings) -> FloatArray:
    """(B + 1,) share of the triggers that fired within the holding time, at each moment of the grid."""
    members = panel.by_moment(panel.universe(settings.markets))
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = np.diff(np.log(panel.grid.known_close), axis=0, prepend=np.nan)
    counted = members & np.isfinite(steps)
    count = counted.sum(axis=1)
    total = np.where(counted, steps, 0.0).sum(axis=1)
    market = np.where(count > 0, total / np.maximum(count, 1), np.nan)[:, None]
    deviation = decayed_deviation(market, half_life(_HALF_LIFE), _LEAST)
    score = np.zeros(len(market))
    for bars in _FALLS:
        with np.errstate(divide="ignore", invalid="ignore"):
            fall = rolling_sum(market, bars) / (deviation * np.sqrt(bars))
            for threshold in _THRESHOLDS:
                fired = (fall < -threshold).astype(np.float64)
                score += rolling_highest(fired, settings.dip_bars, 1)[:, 0]
    return score / (len(_FALLS) * len(_THRESHOLDS))
