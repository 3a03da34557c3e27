"""Deflated Sharpe ratio: correction of a Sharpe ratio for the number of trials.

The best of many strategies without skill has a high Sharpe ratio. The deflated Sharpe ratio is the probability that the
true ratio exceeds the expected maximum of N trials without skill, given the length, skewness and kurtosis of the
returns. Every Sharpe ratio here is of one period (a day), not annualised.

Reference: Bailey and López de Prado (2014), The Deflated Sharpe Ratio, Journal of Portfolio Management 40 (5), 94-107;
the probabilistic Sharpe ratio is from their paper of 2012, Journal of Risk 15 (2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from quorate.core.errors import EvaluationError
from quorate.core.types import FloatArray

_NORMAL = NormalDist()
_EULER = 0.5772156649015329


@dataclass(frozen=True, slots=True)
class Moments:
    """Moments of returns that determine the distribution of a Sharpe ratio.

    Attributes:
        sharpe: mean over standard deviation of one period's returns; NaN under two returns or if all are equal.
        n: number of returns.
        skewness: third standardised moment; 0 for a normal.
        kurtosis: fourth standardised moment; 3 for a normal.
    """

    sharpe: float
    n: int
    skewness: float
    kurtosis: float

    @classmethod
    def of(cls, returns: FloatArray) -> Moments:
        """Moments of (n,) returns, all finite.

        >>> moments = Moments.of(np.array([0.01, -0.01, 0.02, 0.0]))
        >>> round(moments.sharpe, 4), round(moments.skewness, 4), round(moments.kurtosis, 4)
        (0.3873, 0.0, 1.64)
        """
        n = len(returns)
        spread = float(returns.std()) if n else 0.0
        if n < 2 or spread <= 1e-15:
            return cls(math.nan, n, math.nan, math.nan)
        standard = (returns - returns.mean()) / spread
        sharpe = float(returns.mean()) / (spread * math.sqrt(n / (n - 1)))
        return cls(sharpe, n, float((standard**3).mean()), float((standard**4).mean()))


def probabilistic_sharpe(moments: Moments, reference: float = 0.0) -> float:
    """Probability that the true Sharpe ratio exceeds `reference`; NaN without a Sharpe ratio.

    >>> round(probabilistic_sharpe(Moments(0.1, 401, 0.0, 3.0)), 4)
    0.977
    """
    sharpe = moments.sharpe
    if not math.isfinite(sharpe) or moments.n < 2:
        return math.nan
    variance = 1 - moments.skewness * sharpe + (moments.kurtosis - 1) / 4 * sharpe**2
    # Sample moments have kurtosis >= 1 + skewness^2, so this is at least 0, and 0 only for two distinct values.
    if variance <= 0:
        return math.nan
    return _NORMAL.cdf((sharpe - reference) * math.sqrt(moments.n - 1) / math.sqrt(variance))


def expected_best_sharpe(trials: int, variance: float) -> float:
    """Expected maximum Sharpe ratio of `trials` independent strategies without skill.

    Args:
        trials: strategies tried; for a single one the expectation is 0.
        variance: of the Sharpe ratios over the trials.

    Raises:
        EvaluationError: no trial, or a negative variance.

    >>> round(expected_best_sharpe(100, 0.5 / 250), 4)
    0.1132
    """
    if trials < 1 or not variance >= 0:
        raise EvaluationError(
            "deflate a Sharpe ratio",
            found=f"{trials} trials of variance {variance}",
            expected="at least one trial and a variance of at least 0",
        )
    if trials == 1:
        return 0.0
    high = _NORMAL.inv_cdf(1 - 1 / trials)
    higher = _NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    return math.sqrt(variance) * ((1 - _EULER) * high + _EULER * higher)


@dataclass(frozen=True, slots=True)
class Deflation:
    """A deflated Sharpe ratio and its inputs.

    Attributes:
        trials: distinct configurations with a Sharpe ratio, including this one.
        variance: of their Sharpe ratios (of one period).
        reference: expected maximum Sharpe ratio of as many trials without skill.
        probability: that the true Sharpe ratio exceeds `reference`: the deflated Sharpe ratio.
        undeflated: that it exceeds 0: the probabilistic Sharpe ratio, without correction for trials.
    """

    trials: int
    variance: float
    reference: float
    probability: float
    undeflated: float


def deflated_sharpe(moments: Moments, sharpes: Sequence[float]) -> Deflation:
    """Deflate the Sharpe ratio of one strategy by all trials.

    Args:
        moments: of the evaluated strategy.
        sharpes: of every distinct trial, including this one; values that are not finite are ignored.

    The paper's own example: 100 trials whose annual Sharpe ratios have a variance of 1/2, the best of them 2.5 over
    1,250 days with skewness -3 and kurtosis 10.

    >>> spread = math.sqrt(0.5 / 250 * 99 / 100)
    >>> trials = [spread, -spread] * 50
    >>> found = deflated_sharpe(Moments(2.5 / math.sqrt(250), 1250, -3, 10), trials)
    >>> found.trials, round(found.reference, 4), round(found.probability, 4)
    (100, 0.1132, 0.9004)
    """
    known = [sharpe for sharpe in sharpes if math.isfinite(sharpe)]
    trials = max(1, len(known))
    variance = float(np.var(known, ddof=1)) if len(known) > 1 else 0.0
    reference = expected_best_sharpe(trials, variance)
    return Deflation(
        trials, variance, reference, probabilistic_sharpe(moments, reference), probabilistic_sharpe(moments)
    )
