"""An account's worth over time, and what is read off it: return, drawdown, Sharpe, Sortino, Calmar."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from quorate.core.clock import DAY_MS
from quorate.core.errors import EvaluationError
from quorate.core.settings import EvaluationSettings
from quorate.core.types import FloatArray, IntArray
from quorate.evaluation.figures import Figures
from quorate.evaluation.significance import TimeBlocks

_DAYS_PER_YEAR = 365  # crypto trades every day


@dataclass(frozen=True, slots=True, eq=False)
class EquityCurve:
    """Marked equity at the close of each bar.

    Attributes:
        time: (n,) int64 open times of the bars in ms, increasing.
        equity: (n,) float64 USD at the bar's close, after costs.
        start_usd: equity before the first bar.

    Raises:
        EvaluationError: lengths that differ, times that do not increase, equity that is not finite, no money at the
            start.
    """

    time: IntArray
    equity: FloatArray
    start_usd: float

    def __post_init__(self) -> None:
        if self.time.shape != self.equity.shape or self.time.ndim != 1:
            raise EvaluationError(
                "read the equity curve", found=f"{self.time.shape} times and {self.equity.shape} values"
            )
        if (np.diff(self.time) <= 0).any():
            raise EvaluationError("read the equity curve", found="times that do not increase")
        if not (np.isfinite(self.equity).all() and math.isfinite(self.start_usd) and self.start_usd > 0):
            raise EvaluationError(
                "read the equity curve",
                found=f"a start of {self.start_usd!r} and {int((~np.isfinite(self.equity)).sum())} values not finite",
                expected="finite values and a start above 0",
            )

    @property
    def total_return(self) -> float:
        """Gain over the whole span as a fraction of the start."""
        return float(self.equity[-1]) / self.start_usd - 1 if len(self.equity) else 0.0

    @property
    def drawdown(self) -> FloatArray:
        """(n,) distance below the highest equity so far, as a fraction of it; 0 to 1, more after a debt."""
        peak = np.maximum(np.maximum.accumulate(self.equity), self.start_usd) if len(self.equity) else self.equity
        return np.asarray(1 - self.equity / peak)

    @property
    def max_drawdown(self) -> float:
        """The deepest drawdown, at the resolution of the bars."""
        return float(self.drawdown.max(initial=0.0))

    def daily(self) -> EquityCurve:
        """Equity at the end of every UTC day of the span; a day without bars keeps the day before's."""
        if not len(self.time):
            return self
        days = np.arange(self.time[0] // DAY_MS, self.time[-1] // DAY_MS + 1) * DAY_MS
        last = np.searchsorted(self.time, days + DAY_MS, side="left") - 1
        return EquityCurve(days, self.equity[last], self.start_usd)

    def daily_returns(self) -> FloatArray:
        """(days,) gain of each UTC day over the day before; empty once the account holds nothing."""
        worth = np.concatenate([[self.start_usd], self.daily().equity])
        return np.diff(worth) / worth[:-1] if (worth > 0).all() else np.empty(0)


def sharpe(daily_returns: FloatArray) -> float:
    """Annualised mean over standard deviation of daily returns, no riskless rate; NaN under 2 days or without spread.

    >>> round(sharpe(np.array([0.01, -0.01, 0.02])), 4)
    8.3381
    """
    if len(daily_returns) < 2:
        return math.nan
    spread = float(daily_returns.std(ddof=1))
    return _over(float(daily_returns.mean()) * math.sqrt(_DAYS_PER_YEAR), spread)


def sortino(daily_returns: FloatArray) -> float:
    """Annualised mean over the root mean square of the losses; NaN under 2 days or without a losing day.

    Source: Sortino and van der Meer (1991); days without a loss count as 0 in the mean square.
    """
    if len(daily_returns) < 2:
        return math.nan
    downside = math.sqrt(float((np.minimum(daily_returns, 0.0) ** 2).mean()))
    return _over(float(daily_returns.mean()) * math.sqrt(_DAYS_PER_YEAR), downside)


def annual_return(curve: EquityCurve) -> float:
    """Growth a year at the span's pace, as a fraction; -1 once the account holds nothing, NaN without a bar."""
    days = len(curve.daily().time)
    if not days:
        return math.nan
    growth = 1 + curve.total_return
    if growth <= 0:
        return -1.0
    # A few lucky days can outgrow a float when taken to a year.
    exponent = math.log(growth) * _DAYS_PER_YEAR / days
    return math.expm1(exponent) if exponent < 700 else math.inf


def calmar(curve: EquityCurve) -> float:
    """Annual return over the deepest drawdown; NaN without a drawdown."""
    return _over(annual_return(curve), curve.max_drawdown)


def equity_figures(curve: EquityCurve, settings: EvaluationSettings) -> Figures:
    """Return, risk and their ratios, for the account and for buy-and-hold alike."""
    returns = curve.daily_returns()
    if not len(curve.time):
        why = "no bars"
    elif not len(returns):
        why = "the account was wiped out"
    else:
        why = "fewer than two days, or no day differs"
    figures = Figures()
    figures.add("total_return", curve.total_return)
    figures.add("annual_return", annual_return(curve), why)
    figures.add("sharpe", sharpe(returns), why)
    figures.add_interval("sharpe_ci", _sharpe_interval(curve, returns, settings), "too few days")
    figures.add("sortino", sortino(returns), why if len(returns) < 2 else "no losing day")
    figures.add("calmar", calmar(curve), "no drawdown" if curve.max_drawdown == 0 else why)
    figures.add("max_drawdown", curve.max_drawdown)
    figures.add("days", len(curve.daily().time))
    return figures


def _sharpe_interval(
    curve: EquityCurve, returns: FloatArray, settings: EvaluationSettings
) -> tuple[float, float] | None:
    if len(returns) < 2:
        return None
    blocks = TimeBlocks(curve.daily().time, settings)
    n = len(returns)
    mean = blocks.sums(returns) / n
    variance = np.maximum(blocks.sums(returns * returns) / n - mean * mean, 0.0) * n / (n - 1)
    flat = variance <= 1e-24  # a resample of one day over and over
    return blocks.interval(np.where(flat, np.nan, mean * math.sqrt(_DAYS_PER_YEAR) / np.sqrt(variance + flat)))


def _over(above: float, below: float) -> float:
    return above / below if below > 0 else math.nan
