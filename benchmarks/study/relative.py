"""Target of the study: the return relative to the market."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from quorate.core.types import Action, Candles
from quorate.features import Bars, volatility_20
from quorate.targets.labels import Labels
from quorate.targets.returns import forward_return, horizon_end


class RelativeClass:
    """BUY where the return over `horizon` bars is above the mean of all symbols' by more than the band, SELL where
    below, else HOLD. The band is in units of the symbol's own volatility over the horizon.
    """

    def __init__(self, panel: Mapping[str, Candles], horizon: int, band: float) -> None:
        self.horizon = horizon
        self.band = band
        self._time = np.unique(np.concatenate([candles.time for candles in panel.values()]))
        total, count = np.zeros(len(self._time)), np.zeros(len(self._time))
        for candles in panel.values():
            earned = forward_return(candles, horizon)
            known = np.isfinite(earned)
            places = np.searchsorted(self._time, candles.time[known])
            total[places] += earned[known]
            count[places] += 1
        self._mean = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)

    def label(self, candles: Candles) -> Labels:
        """Labels of every bar; unknown if a future bar is missing or the volatility is unknown."""
        earned = forward_return(candles, self.horizon) - self._mean[np.searchsorted(self._time, candles.time)]
        band = self.band * volatility_20(Bars(candles)) * math.sqrt(self.horizon)
        y = np.full(len(candles), Action.HOLD, np.int8)
        y[earned > band] = Action.BUY
        y[earned < -band] = Action.SELL
        known = np.isfinite(earned) & np.isfinite(band)
        earned[~known] = np.nan
        return Labels(y, known, horizon_end(candles, self.horizon), earned)
