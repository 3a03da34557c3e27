"""Ratios and changes of columns, which are 0 where the denominator is 0.

numpy warns of the division by zero; `build` turns these warnings off once for all columns.
"""

from __future__ import annotations

import numpy as np

from quorate.core.types import BoolArray, FloatArray

# Prices that differ by less, as a fraction, count as equal: decimals are not exact in binary.
ROUNDING = 1e-12


def ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """The quotient part / whole, 0 where whole is 0.

    >>> with np.errstate(divide="ignore"):
    ...     ratio(np.array([1.0, 1.0]), np.array([4.0, 0.0]))
    array([0.25, 0.  ])
    """
    quotient = part / whole
    np.copyto(quotient, 0.0, where=whole == 0.0)
    return quotient


def change(x: FloatArray, bars: int) -> FloatArray:
    """The change x / x[-bars] - 1 of the newest n - bars rows, 0 where the earlier value is 0.

    >>> with np.errstate(divide="ignore"):
    ...     change(np.array([2.0, 3.0, 0.0, 5.0]), 1)
    array([ 0.5, -1. ,  0. ])
    """
    earlier = x[..., :-bars]
    quotient = x[..., bars:] / earlier
    quotient -= 1.0
    np.copyto(quotient, 0.0, where=earlier == 0.0)
    return quotient


def bounded(correlation: FloatArray) -> FloatArray:
    """A correlation clipped to -1 and 1, which rounding errors exceed."""
    return np.clip(correlation, -1.0, 1.0)


def above(x: FloatArray, limit: float) -> BoolArray:
    """Whether values exceed a limit by more than rounding errors, which depend on the unit of prices.

    >>> above(np.array([20.000000000000114, 20.1, np.nan]), 20.0).tolist()
    [False, True, False]
    """
    return x > limit * (1 + ROUNDING)


def below(x: FloatArray, limit: float) -> BoolArray:
    """Whether values are below a limit above 0 by more than rounding errors, as `above`.

    >>> below(np.array([19.999999999999996, 19.9, np.nan]), 20.0).tolist()
    [False, True, False]
    """
    return x < limit * (1 - ROUNDING)


def equal(square: FloatArray, variance: FloatArray) -> BoolArray:
    """(n,) bool, whether values of this mean square and variance differ by rounding errors only."""
    return variance <= ROUNDING * square
