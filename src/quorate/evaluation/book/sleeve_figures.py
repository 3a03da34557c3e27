"""Every sleeve alone, the book without it, and how far the sleeves move together."""

from __future__ import annotations

from typing import Any

import numpy as np

from quorate.book.portfolio.positions import WeightReturns
from quorate.core.types import FloatArray
from quorate.evaluation.book.case import BookCase
from quorate.evaluation.book.resampled_days import TOO_FEW, DayResamples, sharpe_of
from quorate.evaluation.json_values import Figures


def alone(case: BookCase) -> dict[str, WeightReturns]:
    """(R,) returns of each sleeve in an account of its own."""
    return {name: case.returns(case.weights.only(name)) for name in case.sleeves}


def sleeve_figures(case: BookCase, own: dict[str, WeightReturns]) -> dict[str, dict[str, Any]]:
    """Sleeve -> figures alone, figures of the book without it, and the book's Sharpe ratio above the latter.

    A sleeve alone is measured from its own first position on.
    """
    found = {}
    for name, returns in own.items():
        rest = case.returns(case.weights.without(name))
        found[name] = {"alone": case.figures(returns), "left_out": case.figures(rest), **_added(case, rest.net)}
    return found


def correlations(case: BookCase, own: dict[str, WeightReturns]) -> dict[str, dict[str, float | None]]:
    """Correlation of the daily net returns of every two sleeves on the days of the book; None where one is constant."""
    columns = {name: returns.net[case.days] for name, returns in own.items()}
    return {a: {b: _correlation(columns[a], columns[b]) for b in columns} for a in columns}


def _correlation(a: FloatArray, b: FloatArray) -> float | None:
    if len(a) < 2 or min(a.std(), b.std()) <= 1e-15:
        return None
    return float(np.corrcoef(a, b)[0, 1])


def _added(case: BookCase, rest: FloatArray) -> dict[str, Any]:
    """What the sleeve adds to the Sharpe ratio, on the days of the book."""
    figures = Figures()
    if not case.days.any():
        return {}
    own, without = case.net, rest[case.days]
    figures.add("sharpe_added", float(sharpe_of(own) - sharpe_of(without)), "the rest holds nothing")
    ends = DayResamples(len(own), case.options).sharpe_difference(own, without)
    figures.add_interval("sharpe_added_ci", ends, TOO_FEW)
    return figures.to_json()
