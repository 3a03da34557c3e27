"""Returns of the book by month and by year, beside holding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from quorate.core.types import FloatArray, IntArray
from quorate.evaluation.book.performance import drawdown
from quorate.evaluation.book.resampled_days import sharpe_of
from quorate.evaluation.json_values import Figures


def by_month(time: IntArray, net: FloatArray, beside: Mapping[str, FloatArray]) -> list[dict[str, Any]]:
    """Compound return of each calendar month (UTC), oldest first, JSON-safe.

    Args:
        time: (days,) starts in ms.
        net: (days,) of the book.
        beside: holding -> (days,).
    """
    return _table(time, net, beside, "month", "M")


def by_year(time: IntArray, net: FloatArray, beside: Mapping[str, FloatArray]) -> list[dict[str, Any]]:
    """The same of each calendar year, with its Sharpe ratio and its drawdown."""
    return _table(time, net, beside, "year", "Y")


def _table(
    time: IntArray, net: FloatArray, beside: Mapping[str, FloatArray], name: str, unit: str
) -> list[dict[str, Any]]:
    period = np.asarray(time, np.int64).astype("datetime64[ms]").astype(f"datetime64[{unit}]")
    rows = []
    for own in np.unique(period):
        days, figures = period == own, Figures()
        figures.add("days", int(days.sum()))
        figures.add("total_return", _compound(net[days]))
        if unit == "Y":
            figures.add("sharpe", float(sharpe_of(net[days])), "fewer than two days, or no day differs")
            figures.add("max_drawdown", drawdown(net[days]))
        for holding, returns in beside.items():
            figures.add(holding, _compound(returns[days]))
        rows.append({name: str(own), **figures.to_json()})
    return rows


def _compound(returns: FloatArray) -> float:
    return float(np.prod(1 + returns)) - 1
