"""How much of a book's returns is the market's: betas, and the Sharpe ratio of what remains."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from quorate.core.types import FloatArray
from quorate.evaluation.book.options import JudgementOptions
from quorate.evaluation.book.resampled_days import TOO_FEW, DayResamples, sharpe_of
from quorate.evaluation.json_values import Figures


class MarketBeta(NamedTuple):
    """Slope of a regression with an intercept, its t statistic, and (days,) returns less slope times market."""

    beta: float
    t: float
    rest: FloatArray


def market_beta(returns: FloatArray, market: FloatArray, lags: int) -> MarketBeta:
    """Regression of (days,) returns on the market's; NaN where the market does not move.

    Source: Newey and West (1987), A simple, positive semi-definite, heteroskedasticity and autocorrelation consistent
    covariance matrix.
    """
    n = len(returns)
    deviation = market - market.mean() if n else market
    spread = float((deviation**2).sum())
    if n < 3 or spread <= 1e-18:
        return MarketBeta(math.nan, math.nan, returns)
    beta = float((deviation * returns).sum()) / spread
    residual = returns - returns.mean() - beta * deviation
    moments = deviation * residual
    total = float((moments**2).sum())
    for lag in range(1, min(lags, n - 1) + 1):
        total += 2 * (1 - lag / (lags + 1)) * float((moments[lag:] * moments[:-lag]).sum())
    error = math.sqrt(max(total, 0.0)) / spread
    return MarketBeta(beta, beta / error if error > 0 else math.nan, returns - beta * market)


def beta_figures(returns: FloatArray, market: FloatArray, options: JudgementOptions) -> dict[str, Any]:
    """Beta, its t statistic and the Sharpe ratio of what remains, JSON-safe."""
    found = market_beta(returns, market, options.block_days)
    figures, flat = Figures(), "the market does not move, or too few days"
    figures.add("beta", found.beta, flat)
    figures.add("t", found.t, flat)
    figures.add("sharpe_of_rest", float(sharpe_of(found.rest)) if len(found.rest) else None, flat)
    figures.add_interval("sharpe_of_rest_ci", DayResamples(len(returns), options).sharpe(found.rest), TOO_FEW)
    return figures.to_json()
