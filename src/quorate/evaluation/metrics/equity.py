"""Equity curve of an account, and its return, drawdown, Sharpe, Sortino and Calmar ratios."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from quorate.core.clock import DAY_MS, YEAR_DAYS
from quorate.core.errors import EvaluationError
from quorate.core.settings import EvaluationSettings
from quorate.core.types import FloatArray, IntArray
from quorate.evaluation.json_values import Figures
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.evaluation.statistics.circular_blocks import circular_blocks


@dataclass(frozen=True, slots=True, eq=False)
class EquityCurve:
    """Mark-to-market equity at the close of each bar.

    Attributes:
        time: (n,) int64 open times of the bars in ms, increasing.
        equity: (n,) float64 USD at the bar's close, after costs.
        start_usd: equity before the first bar.

    Raises:
        EvaluationError: the lengths differ, times do not increase, equity is not finite, or the start is not above 0.
    """

    time: IntArray
    equity: FloatArray
    start_usd: float

    def __post_init__(self) -> None:
        if self.time.shape != self.equity.shape or self.time.ndim != 1:
            raise EvaluationError(
                "read the equity curve",
                found=f"times of shape {self.time.shape} and values of shape {self.equity.shape}",
                expected="one value for each time",
            )
        if (np.diff(self.time) <= 0).any():
            raise EvaluationError(
                "read the equity curve", found="times that do not increase", expected="increasing times"
            )
        if not (np.isfinite(self.equity).all() and math.isfinite(self.start_usd) and self.start_usd > 0):
            raise EvaluationError(
                "read the equity curve",
                found=f"a start of {self.start_usd!r} and {int((~np.isfinite(self.equity)).sum())} values not finite",
                expected="finite values and a start above 0",
            )

    @property
    def total_return(self) -> float:
        """Return over the whole span, a fraction; 0 without bars."""
        return float(self.equity[-1]) / self.start_usd - 1 if len(self.equity) else 0.0

    @property
    def drawdown(self) -> FloatArray:
        """(n,) distance below the running peak as a fraction of it; 0 to 1, above 1 if equity is negative."""
        peak = np.maximum(np.maximum.accumulate(self.equity), self.start_usd) if len(self.equity) else self.equity
        return np.asarray(1 - self.equity / peak)

    @property
    def max_drawdown(self) -> float:
        """Maximum drawdown of closes, a fraction; 0 without bars."""
        return float(self.drawdown.max(initial=0.0))

    def daily(self) -> EquityCurve:
        """Equity at the end of every UTC day of the span; a day without bars carries the previous value forward."""
        if not len(self.time):
            return self
        days = np.arange(self.time[0] // DAY_MS, self.time[-1] // DAY_MS + 1) * DAY_MS
        last = np.searchsorted(self.time, days + DAY_MS, side="left") - 1
        return EquityCurve(days, self.equity[last], self.start_usd)

    def daily_returns(self) -> FloatArray:
        """(days,) return of each UTC day; empty if equity ever falls to 0 or below."""
        worth = np.concatenate([[self.start_usd], self.daily().equity])
        return np.diff(worth) / worth[:-1] if (worth > 0).all() else np.empty(0)


def sharpe(daily_returns: FloatArray) -> float:
    """Annualised Sharpe ratio of daily returns, risk-free rate 0; NaN under 2 days or if no return differs.

    >>> round(sharpe(np.array([0.01, -0.01, 0.02])), 4)
    8.3381
    """
    if len(daily_returns) < 2:
        return math.nan
    spread = float(daily_returns.std(ddof=1))
    return _over(float(daily_returns.mean()) * math.sqrt(YEAR_DAYS), spread)


def sortino(daily_returns: FloatArray) -> float:
    """Annualised Sortino ratio of daily returns, target return 0; NaN under 2 days or without a losing day.

    Source: Sortino and van der Meer (1991). Days without a loss count as 0 in the downside deviation.
    """
    if len(daily_returns) < 2:
        return math.nan
    downside = math.sqrt(float((np.minimum(daily_returns, 0.0) ** 2).mean()))
    return _over(float(daily_returns.mean()) * math.sqrt(YEAR_DAYS), downside)


def annual_return(curve: EquityCurve) -> float:
    """Annualised compound return, a fraction; -1 if all equity is lost, NaN without bars."""
    days = len(curve.daily().time)
    if not days:
        return math.nan
    growth = 1 + curve.total_return
    if growth <= 0:
        return -1.0
    # The return of a few good days can overflow a float when annualised.
    exponent = math.log(growth) * YEAR_DAYS / days
    return math.expm1(exponent) if exponent < 700 else math.inf


def calmar(curve: EquityCurve) -> float:
    """Calmar ratio: annual return over maximum drawdown; NaN without a drawdown."""
    return _over(annual_return(curve), curve.max_drawdown)


def equity_figures(curve: EquityCurve, settings: EvaluationSettings) -> Figures:
    """Return, risk and their ratios, each with its interval.

    Intervals are of a circular block bootstrap: blocks of days are drawn with replacement and concatenated to paths of
    the same length.
    """
    returns = curve.daily_returns()
    if not len(curve.time):
        why = "no bars"
    elif not len(returns):
        why = "the account was wiped out"
    else:
        why = "fewer than two days, or no day differs"
    paths = _paths(curve, returns, settings)
    figures = Figures()

    def add(name: str, value: float, samples: FloatArray, missing: str) -> None:
        figures.add(name, value, missing)
        known = samples[np.isfinite(samples)]
        tail = (1 - settings.confidence) / 2
        # Without a value in most resamples, the percentiles of the rest are not an interval.
        ends = np.quantile(known, [tail, 1 - tail]) if len(known) > len(samples) / 2 else None
        shown = None if ends is None or not math.isfinite(value) else (float(ends[0]), float(ends[1]))
        figures.add_interval(f"{name}_ci", shown, "too few days")

    worth = np.cumprod(1 + paths, axis=1)  # (resamples, days)
    peak = np.maximum(np.maximum.accumulate(worth, axis=1), 1.0)
    gained, sunk = np.asarray(worth[:, -1] - 1), np.asarray((1 - worth / peak).max(axis=1))
    yearly = _yearly(gained, paths.shape[1])
    mean, spread = np.asarray(paths.mean(axis=1)), np.asarray(paths.std(axis=1, ddof=1))
    downside = np.sqrt((np.minimum(paths, 0.0) ** 2).mean(axis=1))
    scale = math.sqrt(YEAR_DAYS)
    add("total_return", curve.total_return, gained, why)
    add("annual_return", annual_return(curve), yearly, why)
    add("sharpe", sharpe(returns), scale * _each_over(mean, spread), why)
    losing = why if len(returns) < 2 else "no losing day"
    add("sortino", sortino(returns), scale * _each_over(mean, downside), losing)
    add("calmar", calmar(curve), _each_over(yearly, sunk), "no drawdown" if curve.max_drawdown == 0 else why)
    # The interval is of daily closes, the figure of every bar, so it can lie above its interval.
    add("max_drawdown", curve.max_drawdown, sunk, why)
    figures.add("days", len(curve.daily().time))
    return figures


def _paths(curve: EquityCurve, returns: FloatArray, settings: EvaluationSettings) -> FloatArray:
    """(resamples, days) daily returns in blocks drawn with replacement; no rows if there are too few days."""
    if len(returns) < 2 or not TimeBlocks(curve.daily().time, settings).enough:
        return np.empty((0, 2))
    length = max(1, round(settings.block_hours / 24))
    return np.asarray(returns[circular_blocks(len(returns), length, settings.resamples, settings.seed)])


def _yearly(gained: FloatArray, days: int) -> FloatArray:
    """Annualised return of each path; infinity on overflow."""
    with np.errstate(divide="ignore", over="ignore"):
        return np.asarray(np.expm1(np.log(np.maximum(1 + gained, 0.0)) * YEAR_DAYS / days))


def _each_over(above: FloatArray, below: FloatArray) -> FloatArray:
    """Element-wise division; NaN where the denominator is 0 up to rounding."""
    known = below > 1e-12
    return np.divide(above, below, out=np.full_like(above, np.nan), where=known)


def _over(above: float, below: float) -> float:
    return above / below if below > 0 else math.nan
