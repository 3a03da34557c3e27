"""What the same days paid without a book: Bitcoin, and the universe at equal weights and at inverse volatility."""

from __future__ import annotations

from typing import Any

import numpy as np

from quorate.book.portfolio.positions import WeightReturns
from quorate.book.sleeves.sides import directional
from quorate.core.types import FloatArray
from quorate.evaluation.book.case import BookCase
from quorate.evaluation.book.resampled_days import TOO_FEW, DayResamples, sharpe_of
from quorate.evaluation.json_values import Figures

#: Holding -> what it is.
HOLDINGS = {
    "btc": "Bitcoin alone, fully invested; without it the largest market",
    "equal_weight": "every market of the universe at the same weight, rebalanced daily",
    "inverse_volatility": "every market of the universe by its inverse volatility, rebalanced daily",
}


def holdings(case: BookCase) -> dict[str, WeightReturns]:
    """(R,) returns of each, with the costs and the funding of a long position."""
    among = case.panel.universe(case.settings.markets)
    leader = np.zeros(among.shape)
    leader[:, case.panel.leader] = np.isfinite(case.panel.close[:, case.panel.leader])
    equal = among / np.maximum(among.sum(axis=1, keepdims=True), 1)
    by_volatility = directional(np.ones(among.shape), case.panel.volatility, among)
    return {
        "btc": case.hold(leader),
        "equal_weight": case.hold(equal),
        "inverse_volatility": case.hold(by_volatility),
    }


def beside(case: BookCase, held: dict[str, WeightReturns]) -> dict[str, dict[str, Any]]:
    """Figures of each on the days of the book, and by how much the book's Sharpe ratio is above it."""
    return {name: {**case.figures(each, same_days=True), **_above(case, each.net)} for name, each in held.items()}


def _above(case: BookCase, net: FloatArray) -> dict[str, Any]:
    figures = Figures()
    if not case.days.any():
        return {}
    own, other = case.net, net[case.days]
    figures.add("sharpe_above", float(sharpe_of(own) - sharpe_of(other)), "no Sharpe ratio")
    figures.add_interval("sharpe_above_ci", DayResamples(len(own), case.options).sharpe_difference(own, other), TOO_FEW)
    return _without_missing(figures)


def _without_missing(figures: Figures) -> dict[str, Any]:
    return {name: value for name, value in figures.to_json().items() if name != "missing"}
