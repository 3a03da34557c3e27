"""Figures of the daily returns of weights, each with its interval."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from quorate.book.portfolio.positions import WeightReturns
from quorate.core.clock import YEAR_DAYS, iso_ms
from quorate.core.types import BoolArray, FloatArray, IntArray
from quorate.evaluation.book.options import JudgementOptions
from quorate.evaluation.book.resampled_days import TOO_FEW, DayResamples, sharpe_of, yearly
from quorate.evaluation.json_values import Figures

NOTHING = "nothing was held"

_BP = 10_000


class JudgedDays(NamedTuple):
    """The days of a judgement.

    Attributes:
        time: (R,) start of each day of the returns in ms.
        inside: (R,) days of the span.
    """

    time: IntArray
    inside: BoolArray

    def since_held(self, returns: WeightReturns) -> BoolArray:
        """(R,) days of the span from the first one with a position on; none where nothing was held."""
        held = self.inside & (returns.exposure > 0)
        return self.inside & (np.arange(len(held)) >= (int(np.argmax(held)) if held.any() else len(held)))


def performance(returns: WeightReturns, days: BoolArray, time: IntArray, options: JudgementOptions) -> dict[str, Any]:
    """Return, risk, turnover and exposure of these days, JSON-safe.

    Sharpe ratio, volatility and all figures but the return and the drawdown are of simple daily returns; these two
    compound.

    Args:
        returns: (R,) of all days.
        days: (R,) that count.
        time: (R,) their starts in ms.
        options: of the intervals.
    """
    n = int(days.sum())
    figures = Figures()
    figures.add("days", n)
    if not n:
        return {**figures.to_json(), "first": None, "sharpe": None, "missing": {"sharpe": NOTHING}}
    net, exposure = returns.net[days], float(returns.exposure[days].mean())
    resamples = DayResamples(n, options)
    flat = "fewer than two days, or no day differs"
    figures.add("sharpe", float(sharpe_of(net)), flat)
    figures.add_interval("sharpe_ci", resamples.sharpe(net), TOO_FEW)
    figures.add("yearly_return", float(yearly(net)), flat)
    figures.add_interval("yearly_return_ci", resamples.yearly_return(net), TOO_FEW)
    figures.add("volatility", float(net.std(ddof=1)) * YEAR_DAYS**0.5 if n > 1 else None, flat)
    figures.add("max_drawdown", drawdown(net))
    figures.add("turnover_a_day", _over(float(returns.turnover[days].mean()), exposure), NOTHING)
    figures.add("bp_a_day", _over(float(net.mean()) * _BP, exposure), NOTHING)
    ends = resamples.mean(net)
    held = None if ends is None or not exposure else (ends[0] * _BP / exposure, ends[1] * _BP / exposure)
    figures.add_interval("bp_a_day_ci", held, TOO_FEW)
    figures.add("gross_exposure", exposure)
    figures.add("net_exposure", float(returns.side[days].mean()))
    gross = float(returns.gross[days].mean()) * YEAR_DAYS
    cost, funding = (float(each[days].mean()) * YEAR_DAYS for each in (returns.cost, returns.funding))
    figures.add("yearly_gross", gross)
    figures.add("yearly_cost", cost)
    figures.add("yearly_funding", funding)
    lost = "prices lost"
    figures.add("cost_share", cost / gross if gross > 0 else None, lost)
    figures.add("funding_share", funding / gross if gross > 0 else None, lost)
    return {"first": iso_ms(int(time[days][0]))[:10], "last": iso_ms(int(time[days][-1]))[:10], **figures.to_json()}


def drawdown(net: FloatArray) -> float:
    """Largest loss from a peak of compounded (days,) returns, a fraction; the start is a peak too.

    >>> drawdown(np.array([-0.1, 0.5, -0.2, 0.1]))
    0.2
    """
    worth = np.cumprod(1 + net)
    peak = np.maximum(np.maximum.accumulate(worth), 1.0)
    return round(float((1 - worth / peak).max(initial=0.0)), 15)


def _over(above: float, below: float) -> float | None:
    return above / below if below > 0 else None
