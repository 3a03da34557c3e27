"""Forecasts of volatility from a market's own candles, by numpy alone."""

from quorate.models.volatility.horizons import forecast_all, horizons
from quorate.models.volatility.log_har import CONFIDENCE, HorizonForecasts

__all__ = ["CONFIDENCE", "HorizonForecasts", "forecast_all", "horizons"]
