"""Books without a signal: the same weights at other times, and on other markets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from quorate.book.panel.daily_panel import DAY_BARS
from quorate.book.portfolio.weights import SleeveWeights
from quorate.core.progress import Progress, silent
from quorate.core.types import BoolArray, FloatArray, IntArray
from quorate.evaluation.book.case import BookCase
from quorate.evaluation.book.resampled_days import sharpe_of

#: Kind of placebo -> what it is.
PLACEBOS = {
    "shifted": "the weights of other days, moved as a ring: sizes, sides and turnover stay",
    "shuffled": "every weight held in another market of the universe: the net side of each day stays",
}


def placebos(case: BookCase, progress: Progress = silent) -> dict[str, dict[str, Any]]:
    """Kind -> Sharpe ratios of the placebos, and the share of them that is at least the book's, JSON-safe."""
    options = case.options
    days = int(case.days.sum())
    shifts = [shift for shift in options.shifts if shift < days]
    shuffles = options.shuffles if days else 0
    runs = len(shifts) + shuffles
    made: dict[str, list[float]] = {"shifted": [], "shuffled": []}
    for shift in shifts:
        made["shifted"].append(_sharpe(case, shifted_weights(case, shift)))
        progress("placebo", len(made["shifted"]), runs)
    rng = np.random.default_rng(options.seed)
    for number in range(shuffles):
        made["shuffled"].append(_sharpe(case, shuffled_weights(case, rng.permutation(len(case.panel.symbols)))))
        progress("placebo", len(shifts) + number + 1, runs)
    own = float(sharpe_of(case.net)) if days else float("nan")
    figures = {kind: _figures(values, own) for kind, values in made.items()}
    return {**figures, "shifted": {**figures["shifted"], "days": shifts}}


def shifted_weights(case: BookCase, shift: int) -> SleeveWeights:
    """The weights of the judged days moved later by so many days, the last ones to the beginning."""
    rows = np.flatnonzero(case.days)
    first, end = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, 0)
    moment = case.panel.moment
    bars = (int(moment[first]), int(moment[end])) if len(rows) else (0, 0)
    return _each(
        case.weights,
        lambda weights: _rolled(weights, first, end, shift),
        lambda weights: _rolled(weights, *bars, shift * DAY_BARS),
    )


def shuffled_weights(case: BookCase, order: IntArray) -> SleeveWeights:
    """Every weight passed on to the next market of the universe, in a ring of all markets in this order.

    A market that joins or leaves the universe changes its neighbours in the ring only, so turnover stays about the
    same.
    """
    panel = case.panel
    among = panel.universe(max(case.settings.markets, case.settings.carry_markets))
    by_bar = panel.by_moment(among)
    return _each(
        case.weights,
        lambda weights: passed_on(weights, among, order),
        lambda weights: passed_on(weights, by_bar, order),
    )


def passed_on(weights: FloatArray, among: BoolArray, order: IntArray) -> FloatArray:
    """(R, S) the weights of each row, each given to the next market of the row in the ring `order`.

    Args:
        weights: (R, S).
        among: (R, S) markets of each row; those with a weight count too.
        order: (S,) columns.

    >>> passed_on(np.array([[1.0, 2.0, 3.0, 0.0]]), np.array([[True, True, True, False]]), np.array([2, 3, 0, 1]))
    array([[3., 1., 2., 0.]])
    """
    ring = weights[:, order]
    row, place = np.nonzero(among[:, order] | (ring != 0))
    out = np.zeros_like(weights)
    if not len(row):
        return out
    first = np.searchsorted(row, row)
    last = np.searchsorted(row, row, side="right") - 1
    number = np.arange(len(row))
    giver = np.where(number == first, last, number - 1)
    out[row, order[place]] = ring[row, place[giver]]
    return out


def _each(
    weights: SleeveWeights,
    daily: Callable[[FloatArray], FloatArray],
    by_bar: Callable[[FloatArray], FloatArray],
) -> SleeveWeights:
    """The sums of the daily sleeves and of those by bar, changed: returns depend on nothing else."""
    days = {"daily": daily(sum(weights.daily.values()))} if weights.daily else {}  # type: ignore[arg-type]
    bars = {"by_bar": by_bar(sum(weights.by_bar.values()))} if weights.by_bar else {}  # type: ignore[arg-type]
    return SleeveWeights(days, bars, {})


def _rolled(weights: FloatArray, first: int, end: int, rows: int) -> FloatArray:
    out = weights.copy()
    out[first:end] = np.roll(weights[first:end], rows, axis=0)
    return out


def _sharpe(case: BookCase, weights: SleeveWeights) -> float:
    return float(sharpe_of(case.returns(weights).net[case.days])) if case.days.any() else float("nan")


def _figures(values: list[float], own: float) -> dict[str, Any]:
    known = np.array([value for value in values if np.isfinite(value)])
    if not len(known) or not np.isfinite(own):
        return {"runs": len(known), "sharpes": known.tolist(), "mean": None, "largest": None, "share_above": None}
    return {
        "runs": len(known),
        "sharpes": known.tolist(),
        "mean": float(known.mean()),
        "largest": float(known.max()),
        "share_above": float((known >= own).mean()),
    }
