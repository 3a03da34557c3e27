"""Return labels: the forward return."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quorate.core.clock import timeframe_ms
from quorate.core.errors import TargetError
from quorate.core.scale_changes import scale_change_bars
from quorate.core.sections.learning import TargetSettings
from quorate.core.types import BoolArray, Candles, FloatArray, IntArray
from quorate.targets.labels import Labels


@dataclass(frozen=True, slots=True)
class ForwardReturn:
    """Label each bar with its return over the next `horizon` bars, a fraction.

    Args:
        horizon: bars ahead, at least 1.

    Raises:
        TargetError: a horizon under 1.
    """

    horizon: int = TargetSettings().return_horizon

    def __post_init__(self) -> None:
        if self.horizon < 1:
            raise TargetError("define return labels", found=f"`horizon` {self.horizon}", expected="at least 1 bar")

    def label(self, candles: Candles) -> Labels:
        """Label n bars: y is float64, NaN where one of the next `horizon` bars is missing or of another price scale."""
        earned = forward_return(candles, self.horizon)
        return Labels(earned, np.isfinite(earned), horizon_end(candles, self.horizon), earned)


def has_future(candles: Candles, horizon: int) -> BoolArray:
    """Whether each bar is followed by `horizon` bars without a gap, all at the same price scale.

    Returns:
        (n,) bool.
    """
    known = np.zeros(len(candles), np.bool_)
    if len(candles) > horizon:
        ahead = candles.time[horizon:] - candles.time[:-horizon]
        known[:-horizon] = ahead == horizon * timeframe_ms(candles.timeframe)
        for bar in scale_change_bars(candles, candles.timeframe).tolist():
            known[max(0, bar - horizon) : bar] = False
    return known


def forward_return(candles: Candles, horizon: int) -> FloatArray:
    """Compute close[t + horizon] / close[t] - 1.

    Returns:
        (n,) float64, fractions; NaN where one of the next `horizon` bars is missing or of another price scale.
    """
    earned = np.full(len(candles), np.nan)
    rows = np.flatnonzero(has_future(candles, horizon))
    earned[rows] = candles.close[rows + horizon] / candles.close[rows] - 1
    return earned


def horizon_end(candles: Candles, horizon: int) -> IntArray:
    """Open time of the bar `horizon` bars later: (n,) int64, ms UTC."""
    return candles.time + horizon * timeframe_ms(candles.timeframe)
