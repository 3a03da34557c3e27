"""Diebold-Mariano test of equal forecast accuracy.

Reference: Diebold and Mariano (1995), Comparing Predictive Accuracy, Journal of Business & Economic Statistics 13 (3),
253-263; the small-sample correction is from Harvey, Leybourne and Newbold (1997), Testing the Equality of Prediction
Mean Squared Errors, International Journal of Forecasting 13, 281-291.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from quorate.core.errors import EvaluationError
from quorate.core.types import FloatArray, IntArray
from quorate.evaluation.statistics.student_t import two_sided


@dataclass(frozen=True, slots=True)
class DieboldMariano:
    """Result of a Diebold-Mariano test.

    Attributes:
        statistic: mean loss difference over its standard error; below 0 the first forecast is better. NaN if undefined.
        p_value: two-sided, under equal accuracy. NaN if undefined.
        n: periods.
        horizon: periods that one forecast spans.
        why: why the statistic is undefined; empty if it is defined.
    """

    statistic: float
    p_value: float
    n: int
    horizon: int
    why: str = ""


def diebold_mariano(difference: FloatArray, horizon: int = 1) -> DieboldMariano:
    """Test whether the mean of a series of loss differences is 0.

    Forecasts over `horizon` periods overlap, so differences up to `horizon` - 1 periods apart are correlated; their
    autocovariances are part of the variance of the mean. The statistic is multiplied by
    sqrt((n + 1 - 2h + h(h - 1) / n) / n) and compared with Student's t of n - 1 degrees of freedom.

    Args:
        difference: (n,) loss of the first minus loss of the second forecast, in order of time; all finite.
        horizon: h, at least 1.

    Raises:
        EvaluationError: the horizon is under 1, or a difference is not finite.

    >>> found = diebold_mariano(np.array([1.0, 2.0, 3.0, 4.0]))
    >>> round(found.statistic, 4), round(found.p_value, 4)
    (3.873, 0.0305)
    """
    n, h = len(difference), horizon
    if h < 1 or not np.isfinite(difference).all():
        raise EvaluationError(
            "test two forecasts for equal accuracy",
            found=f"a horizon of {h} and {int((~np.isfinite(difference)).sum())} loss differences that are not finite",
            expected="a horizon of at least 1 and finite loss differences",
        )
    factor = n + 1 - 2 * h + h * (h - 1) / n if n else 0.0
    if n < 2 or n <= h or factor <= 0:
        return DieboldMariano(math.nan, math.nan, n, h, f"{n} periods are too few for a horizon of {h}")
    apart = difference - difference.mean()
    covariances = [float(apart[lag:] @ apart[: n - lag]) / n for lag in range(h)]
    variance = (covariances[0] + 2 * sum(covariances[1:])) / n
    if covariances[0] <= 1e-30:
        return DieboldMariano(math.nan, math.nan, n, h, "the losses differ by the same in every period")
    if variance <= 0:
        return DieboldMariano(math.nan, math.nan, n, h, "the variance of the difference cannot be estimated")
    statistic = float(difference.mean()) / math.sqrt(variance) * math.sqrt(factor / n)
    return DieboldMariano(statistic, two_sided(statistic, n - 1), n, h)


def by_period(values: FloatArray, time: IntArray) -> FloatArray:
    """(periods,) mean of (n,) values at each time, in order of time; NaN values, and times without others, are ignored.

    Rows of one bar are correlated over the symbols, so a test of single rows would overstate the evidence.

    >>> by_period(np.array([1.0, 3.0, 5.0, np.nan]), np.array([0, 0, 1, 2])).tolist()
    [2.0, 5.0]
    """
    known = np.isfinite(values)
    if not known.any():
        return np.empty(0)
    _, place = np.unique(time[known], return_inverse=True)
    return np.asarray(np.bincount(place, values[known]) / np.bincount(place))
