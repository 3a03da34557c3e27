"""Forecasts of volatility over all horizons."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from quorate.core.clock import DAY_MS, timeframe_ms
from quorate.core.types import Candles
from quorate.models.volatility.log_har import HorizonForecasts, forecast
from quorate.models.volatility.variance_history import VarianceHistory


def horizons(timeframe: str) -> Mapping[str, int]:
    """Bars of each horizon; a day and a week only where they are whole bars.

    >>> dict(horizons("4h"))
    {'1 bar': 1, '5 bars': 5, '1 day': 6, '7 days': 42}
    """
    length = timeframe_ms(timeframe)
    bars = {"1 bar": 1, "5 bars": 5}
    for name, days in (("1 day", 1), ("7 days", 7)):
        if days * DAY_MS % length == 0:
            bars[name] = days * DAY_MS // length
    return MappingProxyType(bars)


def forecast_all(candles: Candles, *, newest: bool = False) -> Mapping[str, HorizonForecasts]:
    """Forecasts of every horizon. Those at a bar depend on no later bar.

    Args:
        candles: n closed candles of one market.
        newest: forecast the newest bar only; all others are NaN.

    Returns:
        Name of the horizon -> forecasts at n bars.

    Raises:
        CandleError: a price that is not finite and positive.
    """
    history = VarianceHistory(candles)
    made = {name: forecast(history, bars, newest=newest) for name, bars in horizons(candles.timeframe).items()}
    return MappingProxyType(made)
