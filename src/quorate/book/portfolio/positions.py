"""Positions that follow target weights, with what they earn and pay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from quorate.book.portfolio.adjustment import adjusted
from quorate.core.types import BoolArray, FloatArray

# A row's equity is at least this share of the row before: weights cannot be divided by nothing.
_LEFT = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class WeightReturns:
    """Returns of each day (R,), as fractions of the equity at its start.

    Attributes:
        gross: of prices.
        funding: received; negative when paid.
        cost: fees and slippage, as a positive number.
        turnover: sum of the sizes of all changes of weights.
        exposure: sum of the sizes of the weights; of sleeves by bar the mean of the day.
        side: sum of the weights.
    """

    gross: FloatArray
    funding: FloatArray
    cost: FloatArray
    turnover: FloatArray
    exposure: FloatArray
    side: FloatArray

    @property
    def net(self) -> FloatArray:
        """(R,) after costs and funding."""
        return self.gross + self.funding - self.cost

    def plus(self, other: WeightReturns) -> WeightReturns:
        """Both held together in one account."""
        return WeightReturns(
            self.gross + other.gross,
            self.funding + other.funding,
            self.cost + other.cost,
            self.turnover + other.turnover,
            self.exposure + other.exposure,
            self.side + other.side,
        )


class PositionPath(NamedTuple):
    """Weights (R, S) before and after the trades of each row, and what they earned and paid there."""

    before: FloatArray
    weights: FloatArray
    moved: FloatArray
    funding: FloatArray
    cost: float

    def net(self) -> FloatArray:
        """(R, S) by market."""
        traded = np.abs(self.weights - self.before)
        return np.asarray(self.weights * (self.moved - self.funding) - self.cost * traded)

    def returns(self) -> WeightReturns:
        """(R,) of all markets."""
        turnover = np.abs(self.weights - self.before).sum(axis=1)
        return WeightReturns(
            gross=(self.weights * self.moved).sum(axis=1),
            funding=-(self.weights * self.funding).sum(axis=1),
            cost=self.cost * turnover,
            turnover=turnover,
            exposure=np.abs(self.weights).sum(axis=1),
            side=self.weights.sum(axis=1),
        )


def follow(
    target: FloatArray,
    returns: FloatArray,
    funding: FloatArray,
    cost: float,
    band: float,
    step: float,
    decided: BoolArray | None = None,
) -> PositionPath:
    """Follow the targets row by row.

    Args:
        target: (R + 1, S), of which the last row has no return.
        returns: (R, S); an unknown one counts as 0.
        funding: (R, S) paid.
        cost: of a change of weight.
        band: share of a weight that its distance to the target has to exceed.
        step: share of that distance that a change goes.
        decided: (R + 1,) rows whose targets count; in the others the positions are left as they are. None for all.
    """
    moved = np.where(np.isfinite(returns), returns, 0.0)
    before, after = np.zeros_like(moved), np.zeros_like(moved)
    wanted = np.asarray(target.any(axis=1), np.bool_)
    follow = band == 0 and step == 1
    held = np.zeros(target.shape[1])
    holds = False
    for row in range(len(moved)):
        counts = decided is None or decided[row]
        if not holds and not (counts and wanted[row]):
            continue
        before[row] = held
        weights = held if not counts else target[row] if follow else adjusted(target[row], held, band, step)
        after[row] = weights
        turnover = float(np.abs(weights - held).sum())
        profit = weights * moved[row]
        gross, paid = float(profit.sum()), float((weights * funding[row]).sum())
        held = (weights + profit) / max(1 + gross - paid - cost * turnover, _LEFT)
        holds = bool(weights.any())
    return PositionPath(before, after, moved, funding, cost)
