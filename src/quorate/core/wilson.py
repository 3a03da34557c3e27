"""Confidence interval of a proportion."""

from __future__ import annotations

import math
from statistics import NormalDist

from quorate.core.errors import QuorateError


def wilson(wins: int, n: int, confidence: float = 0.95) -> tuple[float, float] | None:
    """Wilson score interval of a proportion.

    Args:
        wins: successes.
        n: trials.
        confidence: of the interval, between 0 and 1.

    Returns:
        Lower and upper bound, fractions; None when n is 0.

    Source: E. B. Wilson, Journal of the American Statistical Association 22 (1927), 209-212.

    Raises:
        QuorateError: more wins than trials, or a negative count.

    >>> low, high = wilson(35, 50)
    >>> round(low, 4), round(high, 4)
    (0.5625, 0.809)
    """
    if not 0 <= wins <= n:
        raise QuorateError("compute the interval of a proportion", found=f"{wins} of {n}", expected="0 <= wins <= n")
    if n == 0:
        return None
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    rate = wins / n
    centre = rate + z * z / (2 * n)
    half_width = z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # Rounding must not push a bound past the rate itself, which at 0 and n wins is the bound.
    return max(0.0, min(rate, (centre - half_width) / scale)), min(1.0, max(rate, (centre + half_width) / scale))
