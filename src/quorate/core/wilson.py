"""How sure a rate is."""

from __future__ import annotations

import math
from statistics import NormalDist

from quorate.core.errors import QuorateError


def wilson(wins: int, n: int, confidence: float = 0.95) -> tuple[float, float] | None:
    """Wilson's score interval of a rate; None when n is 0.

    Source: E. B. Wilson, Journal of the American Statistical Association 22 (1927), 209-212.

    Raises:
        QuorateError: more wins than trials, or a negative count.

    >>> low, high = wilson(35, 50)
    >>> round(low, 4), round(high, 4)
    (0.5625, 0.809)
    """
    if not 0 <= wins <= n:
        raise QuorateError("give the interval of a rate", found=f"{wins} of {n}", expected="0 <= wins <= n")
    if n == 0:
        return None
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    rate = wins / n
    centre = rate + z * z / (2 * n)
    reach = z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # Rounding must not push an end past the rate itself, which at 0 and n is the end.
    return max(0.0, min(rate, (centre - reach) / scale)), min(1.0, max(rate, (centre + reach) / scale))
