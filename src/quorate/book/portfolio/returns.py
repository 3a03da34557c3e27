"""Daily returns of weights, net of costs and funding: the arithmetic of the research, without an account.

It compares many variants of a book in seconds. Lots, minima, margin and liquidations are the account's, whose backtest
decides.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from quorate.book.panel.daily_panel import DAY_BARS, DailyPanel
from quorate.book.panel.outcomes import PositionOutcomes
from quorate.book.portfolio.positions import PositionPath, WeightReturns, follow
from quorate.book.portfolio.weights import SleeveWeights
from quorate.core.settings import BookSettings, CostSettings
from quorate.core.types import FloatArray, IntArray


class MarketReturns(NamedTuple):
    """Returns by market (R, S) of each day, as fractions of the equity at its start.

    Attributes:
        net: after costs and funding.
        weights: held after the day's trades; of sleeves by bar the mean of the day.
    """

    net: FloatArray
    weights: FloatArray


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
    days = _days_path(weights, panel, outcomes, settings, costs, delay_days).returns()
    if not weights.by_bar:
        return days
    steps = _bars_path(weights, panel, outcomes, costs, delay_bars).returns()
    return days.plus(_by_day(steps, _bar_day(panel), len(panel.time) - 1))


def market_returns(
    weights: SleeveWeights,
    panel: DailyPanel,
    outcomes: PositionOutcomes,
    settings: BookSettings,
    costs: CostSettings,
) -> MarketReturns:
    """(D - 1, S) what each market contributed; the sum over markets is the net return of `book_returns`."""
    path = _days_path(weights, panel, outcomes, settings, costs, 0)
    net, held = path.net(), path.weights
    if weights.by_bar:
        bars, day, days = _bars_path(weights, panel, outcomes, costs, 0), _bar_day(panel), len(panel.time) - 1
        inside = (day >= 0) & (day < days)
        steps, mean, count = np.zeros_like(net), np.zeros_like(net), np.bincount(day[inside], minlength=days)
        np.add.at(steps, day[inside], bars.net()[inside])
        np.add.at(mean, day[inside], bars.weights[inside])
        net, held = net + steps, held + mean / np.maximum(count, 1)[:, None]
    return MarketReturns(net, held)


def returns_by_bar(
    weights: SleeveWeights,
    panel: DailyPanel,
    outcomes: PositionOutcomes,
    settings: BookSettings,
    costs: CostSettings,
    *,
    delay_bars: int = 0,
) -> WeightReturns:
    """(D - 1,) days, with the daily weights filled at the open of a 4-hour bar and not at the day's own price.

    A fill some hours into the day can be expressed so. Without a delay it differs from `book_returns` only where bars
    are missing, and by funding, which is paid in equal parts by the bars of a day.

    Args:
        weights: of the sleeves; those by bar are delayed by as many bars.
        panel: of all markets.
        outcomes: of the same panel.
        settings: the band and the step of the daily weights.
        costs: taker fee and slippage of each change.
        delay_bars: after the day's start.
    """
    cost = costs.taker_fee + costs.slippage
    listed = np.isfinite(outcomes.fill)
    target = np.zeros((len(panel.grid.time) + 1, len(panel.symbols)))
    decided = np.zeros(len(target), np.bool_)
    row = panel.moment + delay_bars
    inside = row < len(target)
    target[row[inside]] = (weights.daily_total(panel) * listed)[inside]
    decided[row[inside]] = True
    path = follow(
        target, outcomes.bar_returns, _bar_funding(panel, outcomes), cost, settings.band, settings.step, decided
    )
    days = _by_day(path.returns(), _bar_day(panel), len(panel.time) - 1)
    if not weights.by_bar:
        return days
    steps = _bars_path(weights, panel, outcomes, costs, delay_bars).returns()
    return days.plus(_by_day(steps, _bar_day(panel), len(panel.time) - 1))


def _days_path(
    weights: SleeveWeights,
    panel: DailyPanel,
    outcomes: PositionOutcomes,
    settings: BookSettings,
    costs: CostSettings,
    delay: int,
) -> PositionPath:
    listed = np.isfinite(outcomes.fill)
    daily = _delayed(weights.daily_total(panel), delay) * listed
    cost = costs.taker_fee + costs.slippage
    return follow(daily, outcomes.returns[:-1], outcomes.funding[:-1], cost, settings.band, settings.step)


def _bars_path(
    weights: SleeveWeights, panel: DailyPanel, outcomes: PositionOutcomes, costs: CostSettings, delay: int
) -> PositionPath:
    bars = _delayed(weights.bar_total(panel), delay)
    funding = _bar_funding(panel, outcomes)
    return follow(bars, outcomes.bar_returns, funding, costs.taker_fee + costs.slippage, 0.0, 1.0)


def _bar_day(panel: DailyPanel) -> IntArray:
    """(B,) row of the day that each bar belongs to; -1 before the first one."""
    return panel.day_of_moment[:-1]


def _bar_funding(panel: DailyPanel, outcomes: PositionOutcomes) -> FloatArray:
    """(B, S) the funding of each day in equal parts."""
    return panel.by_moment(outcomes.funding)[:-1] / DAY_BARS


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
