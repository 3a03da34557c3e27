"""Returns over the bars to come."""

from __future__ import annotations

import numpy as np

from quorate.core.clock import timeframe_ms
from quorate.core.types import BoolArray, Candles, FloatArray, IntArray


def has_future(candles: Candles, horizon: int) -> BoolArray:
    """Whether each bar is followed by `horizon` bars without a gap.

    Returns:
        (n,) bool.
    """
    known = np.zeros(len(candles), np.bool_)
    if len(candles) > horizon:
        ahead = candles.time[horizon:] - candles.time[:-horizon]
        known[:-horizon] = ahead == horizon * timeframe_ms(candles.timeframe)
    return known


def forward_return(candles: Candles, horizon: int) -> FloatArray:
    """close[t + horizon] / close[t] - 1.

    Returns:
        (n,) float64, a fraction; NaN where the future is not whole.
    """
    earned = np.full(len(candles), np.nan)
    known = has_future(candles, horizon)
    rows = np.flatnonzero(known)
    earned[rows] = candles.close[rows + horizon] / candles.close[rows] - 1
    return earned


def horizon_end(candles: Candles, horizon: int) -> IntArray:
    """Open time of the bar `horizon` bars later, in ms."""
    return candles.time + horizon * timeframe_ms(candles.timeframe)
