"""Market-neutral portfolio of a signal: long the symbols with the highest values, short those with the lowest.

Tables are (T, S): one row a step of the grid, one column a symbol. NaN is a symbol that is absent or unknown. Both
sides have the same gross exposure, so the return of the market as a whole cancels and the result shows whether the
signal ranks symbols.

A position is opened in as many parts as there are steps in its holding time, one part a step, as in Jegadeesh and
Titman (1993), Returns to Buying Winners and Selling Losers, Journal of Finance 48 (1), 65-91. So the result does not
depend on the hour of the day, and only the net change of the weights is traded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quorate.core.clock import DAY_MS
from quorate.core.errors import EvaluationError
from quorate.core.types import FloatArray, IntArray
from quorate.evaluation.statistics.rank_correlation import spearman

_FEWEST = 3  # symbols of a rank correlation


@dataclass(frozen=True, slots=True, eq=False)
class NeutralPortfolio:
    """A portfolio of gross exposure 1 at most, half of it long, and its result at each step.

    All are fractions of the gross exposure; `net` is long + short - cost - funding.

    Attributes:
        time: (T,) int64 ms, the bars at whose close it is rebalanced; it is held from the next open on.
        weights: (T, S) share of each symbol; shorts are negative.
        long, short: (T,) return of each side until the next step, before costs.
        turnover: (T,) bought and sold; closing at the end is in the last step.
        cost: (T,) fees and slippage on that.
        funding: (T,) paid; 0 where unknown.
        funding_known: share of the gross exposure whose funding is known; NaN without any exposure.
    """

    time: IntArray
    weights: FloatArray
    long: FloatArray
    short: FloatArray
    turnover: FloatArray
    cost: FloatArray
    funding: FloatArray
    funding_known: float

    @property
    def gross(self) -> FloatArray:
        """(T,) before costs and funding."""
        return self.long + self.short

    @property
    def net(self) -> FloatArray:
        """(T,) after costs and funding."""
        return self.gross - self.cost - self.funding

    def daily(self) -> FloatArray:
        """(days,) net return of each UTC day that has a step, in order of time."""
        _, place = np.unique(self.time // DAY_MS, return_inverse=True)
        return np.bincount(place, self.net).astype(np.float64, copy=False)


def extremes(signal: FloatArray, share: float = 0.1) -> FloatArray:
    """(T, S) weights: the top `share` of the symbols present long, the bottom one short, 0.5 on each side.

    Both sides hold the same number of symbols, at least one; of equal signals those further left count as lower. There
    is no position if fewer than two symbols are present, or if all signals are equal.

    Raises:
        EvaluationError: `share` is not above 0 and at most 0.5.

    >>> extremes(np.array([[0.3, 0.1, np.nan, 0.2]]), 0.3).tolist()
    [[0.5, -0.5, 0.0, 0.0]]
    """
    if not 0 < share <= 0.5:
        raise EvaluationError("choose extremes", found=f"a share of {share}", expected="above 0 and at most 0.5")
    weights = np.zeros(signal.shape)
    present = np.isfinite(signal)
    count = present.sum(axis=1)
    each = np.maximum(1, (share * count + 1e-9).astype(np.int64))
    order = np.argsort(np.where(present, signal, np.inf), axis=1, kind="stable")
    for row in np.flatnonzero(count >= 2):
        ranked = order[row, : count[row]]
        if signal[row, ranked[0]] == signal[row, ranked[-1]]:
            continue
        weights[row, ranked[-each[row] :]] = 0.5 / each[row]
        weights[row, ranked[: each[row]]] = -0.5 / each[row]
    return weights


def neutral_portfolio(
    time: IntArray,
    signal: FloatArray,
    step_return: FloatArray,
    *,
    hold_steps: int,
    cost: float,
    share: float = 0.1,
    step_funding: FloatArray | None = None,
) -> NeutralPortfolio:
    """Trade a signal market-neutrally.

    Args:
        time: (T,) int64 ms, increasing.
        signal: (T, S) known at each bar's close; long the highest.
        step_return: (T, S) from the open after each bar to the open after the bar one step later; NaN counts as 0.
        hold_steps: steps that each part is held.
        cost: fee and slippage of a side, a fraction of what is traded.
        share: of the symbols on each side.
        step_funding: (T, S) funding that a long position pays over the step; NaN where unknown.

    Raises:
        EvaluationError: tables of different shapes, times that do not increase, a holding time under 1.
    """
    shapes = {"signal": signal.shape, "returns": step_return.shape}
    if step_funding is not None:
        shapes["funding"] = step_funding.shape
    if len(set(shapes.values())) > 1 or signal.ndim != 2 or len(time) != len(signal):
        raise EvaluationError(
            "trade a signal", found=f"{len(time)} times and tables of {shapes}", expected="one shape, (times, symbols)"
        )
    if hold_steps < 1 or (np.diff(time) <= 0).any():
        raise EvaluationError(
            "trade a signal", found=f"{hold_steps} steps to hold", expected="at least one, and times that increase"
        )
    weights = _averaged(extremes(signal, share), hold_steps)
    returns = np.nan_to_num(step_return, nan=0.0)
    # The trade is the difference from the drifted weights.
    drifted = np.zeros_like(weights)
    drifted[1:] = weights[:-1] * (1 + returns[:-1])
    turnover = np.abs(weights - drifted).sum(axis=1)
    if len(time):
        turnover[-1] += np.abs(weights[-1] * (1 + returns[-1])).sum()
    paid = np.zeros(len(time))
    known = 0.0
    if step_funding is not None:
        paid = (weights * np.nan_to_num(step_funding, nan=0.0)).sum(axis=1)
        known = float(np.abs(weights)[np.isfinite(step_funding)].sum())
    exposure = float(np.abs(weights).sum())
    return NeutralPortfolio(
        time=time,
        weights=weights,
        long=(np.maximum(weights, 0.0) * returns).sum(axis=1),
        short=(np.minimum(weights, 0.0) * returns).sum(axis=1),
        turnover=turnover,
        cost=cost * turnover,
        funding=paid,
        funding_known=known / exposure if exposure else float("nan"),
    )


def rank_ics(signal: FloatArray, forward_return: FloatArray) -> FloatArray:
    """(T,) Spearman's correlation over the symbols of each bar; NaN under three symbols or if either is constant.

    >>> rank_ics(np.array([[1.0, 2.0, 3.0, np.nan]]), np.array([[0.1, 0.3, 0.2, 0.5]])).round(6).tolist()
    [0.5]
    """
    found = np.full(len(signal), np.nan)
    both = np.isfinite(signal) & np.isfinite(forward_return)
    for row in np.flatnonzero(both.sum(axis=1) >= _FEWEST):
        found[row] = spearman(signal[row, both[row]], forward_return[row, both[row]])
    return found


def _averaged(weights: FloatArray, steps: int) -> FloatArray:
    """Mean of each row and the `steps` - 1 before it; rows before the first count as 0."""
    total = np.cumsum(np.concatenate([np.zeros((steps, weights.shape[1])), weights]), axis=0)
    return np.asarray((total[steps:] - total[:-steps]) / steps)
