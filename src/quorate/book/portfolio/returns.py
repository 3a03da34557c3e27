"""Daily returns of weights, net of costs and funding: the arithmetic of the research, without an account.

It compares many variants of a book in seconds. Lots, minima, margin and liquidations are the account's, whose backtest
decides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quorate.book.panel.daily_panel import DAY_BARS, DailyPanel
from quorate.book.panel.outcomes import PositionOutcomes
from quorate.book.portfolio.adjustment import adjusted
from quorate.book.portfolio.weights import SleeveWeights
from quorate.core.settings import BookSettings, CostSettings
from quorate.core.types import FloatArray, IntArray

# A day's equity is at least this share of the day before: weights cannot be divided by nothing.
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


def book_returns(
    weights: SleeveWeights,
    panel: DailyPanel,
    outcomes: PositionOutcomes,
    settings: BookSettings,
    costs: CostSettings,
    *,
    delay_days: int = 0,
    delay_bars: int = 0,
) -> WeightReturns:
    """(D - 1,) days of the sleeves held together; the last day of the panel has no return yet.

    Args:
        weights: of the sleeves.
        panel: of all markets.
        outcomes: of the same panel.
        settings: the band and the step of the daily weights.
        costs: taker fee and slippage of each change.
        delay_days: by which the daily weights are filled later.
        delay_bars: by which those of the bars are.
    """
    cost = costs.taker_fee + costs.slippage
    listed = np.isfinite(outcomes.fill)
    daily = _delayed(weights.daily_total(panel), delay_days) * listed
    days = _held(daily, outcomes.returns, outcomes.funding, cost, settings.band, settings.step)
    if not weights.by_bar:
        return days
    bars = _delayed(weights.bar_total(panel), delay_bars)[:-1]
    day = np.searchsorted(panel.moment, np.arange(len(bars)), side="right") - 1
    paid = np.where(day[:, None] >= 0, outcomes.funding[np.maximum(day, 0)], 0.0) / DAY_BARS
    steps = _held(np.append(bars, bars[-1:], 0), _padded(outcomes.bar_returns), _padded(paid), cost, 0.0, 1.0)
    return days.plus(_by_day(steps, day, len(panel.time) - 1))


def _held(
    target: FloatArray, returns: FloatArray, funding: FloatArray, cost: float, band: float, step: float
) -> WeightReturns:
    """Follow the targets row by row; the last row has no return."""
    moved = np.where(np.isfinite(returns), returns, 0.0)
    out = np.zeros((6, len(target) - 1))
    held = np.zeros(target.shape[1])
    for row in range(len(target) - 1):
        weights = adjusted(target[row], held, band, step)
        turnover = float(np.abs(weights - held).sum())
        profit = weights * moved[row]
        gross, paid = float(profit.sum()), float((weights * funding[row]).sum())
        out[:, row] = (gross, -paid, cost * turnover, turnover, np.abs(weights).sum(), weights.sum())
        held = (weights + profit) / max(1 + gross - paid - cost * turnover, _LEFT)
    return WeightReturns(*out)


def _by_day(steps: WeightReturns, day: IntArray, days: int) -> WeightReturns:
    """Sums of the bars of each day; exposure and side are means."""
    inside = (day >= 0) & (day < days)
    count = np.maximum(np.bincount(day[inside], minlength=days), 1)
    columns = (steps.gross, steps.funding, steps.cost, steps.turnover, steps.exposure, steps.side)
    gross, funding, cost, turnover, exposure, side = (
        np.bincount(day[inside], column[inside], days).astype(np.float64) for column in columns
    )
    return WeightReturns(gross, funding, cost, turnover, exposure / count, side / count)


def _delayed(weights: FloatArray, rows: int) -> FloatArray:
    return weights if not rows else np.concatenate([np.zeros((rows, weights.shape[1])), weights[:-rows]])


def _padded(values: FloatArray) -> FloatArray:
    return np.concatenate([values, np.zeros((1, values.shape[1]))])
