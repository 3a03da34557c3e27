"""Regime of a market at a bar: volatility, trend, breadth and hour, all known when the bar closes.

Volatility and trend are of the market's own candles, breadth of all markets of the panel at the same bar.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from quorate.core.types import Candles, FloatArray
from quorate.features import Bars, volatility_20
from quorate.features.catalogue import COLUMNS
from quorate.features.matrix import fill
from quorate.features.rescaled import hide_rescaled

#: Column -> what it is.
REGIME: Mapping[str, str] = {
    "volatility": "natural logarithm of volatility_20",
    "trend": "efficiency ratio over 20 bars: 0 for a market that turns back, 1 for a straight line",
    "breadth": "share of the markets above their EMA of 50 bars",
    "hour_sin": "sine of the hour of the bar's close, UTC",
    "hour_cos": "cosine of the hour of the bar's close, UTC",
}

_READ = ("efficiency_ratio_20", "price_to_ema_50", "hour_sin", "hour_cos")
_CALM = 1e-6  # volatility of a market whose price does not move, for its logarithm


def regime_columns(panel: Mapping[str, Candles]) -> dict[str, dict[str, FloatArray]]:
    """Symbol -> column of `REGIME` -> (n,) value at each of its candles; NaN where history is too short.

    Args:
        panel: symbol -> candles, all of one timeframe; a value reads candles of its bar and before it only.
    """
    read = {symbol: _own_columns(candles) for symbol, candles in panel.items()}
    times = np.unique(np.concatenate([candles.time for candles in panel.values()])) if panel else np.empty(0, np.int64)
    above, known = np.zeros(len(times)), np.zeros(len(times))
    places = {symbol: np.searchsorted(times, candles.time) for symbol, candles in panel.items()}
    for symbol, columns in read.items():
        distance = columns["price_to_ema_50"]
        above[places[symbol]] += distance > 0
        known[places[symbol]] += np.isfinite(distance)
    breadth = np.divide(above, known, out=np.full(len(times), np.nan), where=known > 0)
    return {
        symbol: {
            "volatility": columns["volatility"],
            "trend": columns["efficiency_ratio_20"],
            "breadth": breadth[places[symbol]],
            "hour_sin": columns["hour_sin"],
            "hour_cos": columns["hour_cos"],
        }
        for symbol, columns in read.items()
    }


def _own_columns(candles: Candles) -> dict[str, FloatArray]:
    bars, columns = Bars(candles), tuple(COLUMNS[name] for name in _READ)
    X = np.empty((len(bars), len(columns)))
    fill(X, bars, columns)
    hide_rescaled(X, candles, candles.timeframe, max(column.warmup for column in columns))
    volatility = np.log(np.maximum(volatility_20(bars), _CALM))
    return {**{name: X[:, place] for place, name in enumerate(_READ)}, "volatility": volatility}
