"""Measures of price that several sleeves read, in units of a market's own volatility."""

from __future__ import annotations

import numpy as np

from quorate.book.panel.daily_panel import DailyPanel
from quorate.book.panel.decayed import decayed_mean, half_life
from quorate.book.panel.rolling import rolling_highest, rolling_lowest, shifted
from quorate.core.types import FloatArray


def scaled_return(panel: DailyPanel, days: int) -> FloatArray:
    """(D, S) log return over so many days, over the volatility of as many."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log(panel.close / shifted(panel.close, days)) / (panel.volatility * np.sqrt(days)))


def average_gap(panel: DailyPanel, fast: int, slow: int) -> FloatArray:
    """(D, S) gap between two exponential averages of the log close, by half-lives in days, in units of volatility."""
    with np.errstate(divide="ignore", invalid="ignore"):
        log_close = np.log(panel.close)
        quick = decayed_mean(log_close, half_life(fast), fast)
        calm = decayed_mean(log_close, half_life(slow), slow)
        return np.asarray((quick - calm) / (panel.volatility * np.sqrt(slow)))


def channel_position(panel: DailyPanel, days: int) -> FloatArray:
    """(D, S) place of the close between the lowest and highest close of so many days, from -1 to 1."""
    high, low = rolling_highest(panel.close, days), rolling_lowest(panel.close, days)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(2 * (panel.close - low) / (high - low) - 1)
