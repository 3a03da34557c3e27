"""Division and change as the catalogue means them: measured against zero, both are zero."""

from __future__ import annotations

import numpy as np

from quorate.core.types import FloatArray


def ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """The quotient part / whole, 0 where whole is 0; NaN stays NaN.

    >>> ratio(np.array([1.0, 1.0]), np.array([4.0, 0.0]))
    array([0.25, 0.  ])
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        quotient = part / whole
    np.copyto(quotient, 0.0, where=whole == 0.0)
    return quotient


def change(x: FloatArray, bars: int) -> FloatArray:
    """The change x / x[-bars] - 1, a fraction; 0 where the earlier value is 0, NaN in the first `bars` rows.

    >>> change(np.array([2.0, 3.0, 0.0, 5.0]), 1)
    array([ nan,  0.5, -1. ,  0. ])
    """
    out = np.empty(len(x))
    out[:bars] = np.nan
    earlier = x[:-bars]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        later = out[bars:]
        np.divide(x[bars:], earlier, out=later)
    later -= 1.0
    np.copyto(later, 0.0, where=earlier == 0.0)
    return out


def flag(condition: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> FloatArray:
    """1 where true, 0 where not."""
    return condition.astype(np.float64)
