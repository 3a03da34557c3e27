"""Fitting the members of the learned sleeves."""

from quorate.book.training.refits import MonthlyForecasts, forecast_by_month

__all__ = ["MonthlyForecasts", "forecast_by_month"]
