"""Time-series trend: markets are held in the direction in which they have been going.

Moskowitz, Ooi and Pedersen, Time series momentum, 2012; channels of Donchian; crossings of exponential averages.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from quorate.book.panel.daily_panel import DailyPanel
from quorate.book.panel.rolling import carried_forward, rolling_highest, rolling_lowest
from quorate.book.sleeves.measures import average_gap, scaled_return
from quorate.book.sleeves.sides import directional, smoothed
from quorate.book.sleeves.sleeve import Sleeve
from quorate.core.types import FloatArray

_RETURNS = (7, 14, 28, 56)
_CHANNELS = (10, 20, 40, 60)
_AVERAGES = ((2, 8), (4, 16), (8, 32))

# Gaps of averages are smaller than returns in units of volatility.
_GAP_UNIT = 3.0


class Trend(Sleeve):
    """The mean of eleven signals between -1 and 1, over volatility."""

    name: ClassVar[str] = "trend"

    @property
    def lookback_days(self) -> int:
        return max(*_RETURNS, *_CHANNELS) + self.settings.trend_smooth_days

    def weights(self, panel: DailyPanel) -> FloatArray:
        among = panel.universe(self.settings.markets)
        weights = directional(trend_signal(panel), panel.volatility, among)
        return smoothed(weights, self.settings.trend_smooth_days)


def trend_signal(panel: DailyPanel) -> FloatArray:
    """(D, S) mean of the signals, between -1 and 1; an unknown one counts as 0."""
    signals = [np.clip(scaled_return(panel, days), -1, 1) for days in _RETURNS]
    signals += [channel_break(panel.close, days) for days in _CHANNELS]
    signals += [np.clip(average_gap(panel, fast, slow) * _GAP_UNIT, -1, 1) for fast, slow in _AVERAGES]
    total = np.zeros_like(panel.close)
    for signal in signals:
        total += np.where(np.isfinite(signal), signal, 0.0)
    return total / len(signals)


def channel_break(close: FloatArray, days: int) -> FloatArray:
    """(D, S) 1 from a new high of so many days on until the close falls below the middle; -1 the other way round."""
    high, low = rolling_highest(close, days), rolling_lowest(close, days)
    middle = (high + low) / 2
    with np.errstate(invalid="ignore"):
        long = np.where(close >= high, 1.0, np.where(close < middle, 0.0, np.nan))
        short = np.where(close <= low, 1.0, np.where(close > middle, 0.0, np.nan))
    signal = carried_forward(long) - carried_forward(short)
    return np.where(np.isfinite(close), signal, np.nan)
