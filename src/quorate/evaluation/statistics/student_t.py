"""Student's t distribution, without scipy, which is not a runtime dependency."""

from __future__ import annotations

import math

from quorate.core.errors import EvaluationError

_PRECISION = 1e-15
_TINY = 1e-300


def two_sided(statistic: float, freedom: float) -> float:
    """Two-sided p-value of a t statistic with `freedom` degrees of freedom; NaN for NaN.

    The regularised incomplete beta function I_x(freedom / 2, 1 / 2) at x = freedom / (freedom + t^2).

    Source: Abramowitz and Stegun 26.7.1.

    Raises:
        EvaluationError: `freedom` is not positive.

    >>> round(two_sided(2.0, 10), 6), two_sided(0.0, 5)
    (0.073388, 1.0)
    """
    if not freedom > 0:
        raise EvaluationError(
            "compute a p-value of Student's t", found=f"{freedom} degrees of freedom", expected="more than 0"
        )
    if math.isnan(statistic):
        return math.nan
    if math.isinf(statistic):
        return 0.0
    square = statistic * statistic
    # Both x and 1 - x are passed, since 1 - x would lose precision for small t.
    return _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + square), square / (freedom + square))


def as_far_in_t(deviation: float, freedom: float) -> float:
    """The value that Student's t exceeds as seldom as the normal distribution exceeds `deviation`, which is at least 0.

    >>> round(as_far_in_t(1.959964, 10), 4)
    2.2281
    """
    chance = math.erfc(deviation / math.sqrt(2))
    low, high = deviation, deviation + 1
    while two_sided(high, freedom) > chance:
        low, high = high, 2 * high
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if two_sided(middle, freedom) > chance else (low, middle)
    return high


def _incomplete_beta(a: float, b: float, x: float, rest: float) -> float:
    """I_x(a, b) with rest = 1 - x."""
    if x <= 0 or rest <= 0:
        return 0.0 if x <= 0 else 1.0
    scale = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest))
    # The fraction converges fast on this side of the mean only; on the other side use I_x(a, b) = 1 - I_(1-x)(b, a).
    if x < (a + 1) / (a + b + 2):
        return scale * _fraction(a, b, x) / a
    return 1 - scale * _fraction(b, a, rest) / b


def _fraction(a: float, b: float, x: float) -> float:
    """Continued fraction of DLMF 8.17.22 by Lentz's method."""
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1)
    d = 1.0 / (d if abs(d) > _TINY else _TINY)
    value = d
    for m in range(1, 10_000):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 + term * d
            d = 1.0 / (d if abs(d) > _TINY else _TINY)
            c = 1.0 + term / c
            c = c if abs(c) > _TINY else _TINY
            value *= c * d
        if abs(c * d - 1.0) < _PRECISION:
            return value
    raise EvaluationError(
        "compute a p-value of Student's t", found=f"no convergence at a={a}, b={b}, x={x}", expected="a probability"
    )
