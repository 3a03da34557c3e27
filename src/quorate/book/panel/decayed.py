"""Exponentially weighted statistics down the rows of arrays (D, S), one column a market.

Weights fall by a constant factor each row, unknown values included, and are normalised by their sum. An unknown value
changes nothing: the result before it is kept.
"""

from __future__ import annotations

import numpy as np

from quorate.core.types import FloatArray


def half_life(rows: float) -> float:
    """The factor of one row by which weights halve in so many rows.

    >>> half_life(1.0)
    0.5
    """
    return float(0.5 ** (1 / rows))


def span(rows: float) -> float:
    """The factor of one row of the average that is called that of so many rows: 1 - 2 / (rows + 1).

    >>> span(3.0)
    0.5
    """
    return 1 - 2 / (rows + 1)


def decayed_mean(x: FloatArray, decay: float, least: int = 1) -> FloatArray:
    """(D, S) weighted mean; NaN before `least` values are known."""
    out = np.full_like(x, np.nan)
    mean, weight = np.zeros(x.shape[1:]), np.zeros(x.shape[1:])
    count = np.zeros(x.shape[1:], np.int64)
    known = np.isfinite(x)
    for row, values in enumerate(x):
        weight *= decay
        now = known[row]
        total = weight + now
        mean = np.where(now, mean + (np.where(now, values, 0.0) - mean) / np.where(now, total, 1.0), mean)
        weight = total
        count += now
        out[row] = np.where(count >= max(least, 1), mean, np.nan)
    return out


def decayed_deviation(x: FloatArray, decay: float, least: int = 2) -> FloatArray:
    """(D, S) weighted standard deviation, without the bias of a small sample.

    Source: the reliability weights of West, Updating mean and variance estimates, 1979.
    """
    out = np.full_like(x, np.nan)
    shape = x.shape[1:]
    mean, squares, weight, weight2 = (np.zeros(shape) for _ in range(4))
    count = np.zeros(shape, np.int64)
    known = np.isfinite(x)
    for row, values in enumerate(x):
        weight *= decay
        weight2 *= decay * decay
        squares *= decay
        now = known[row]
        gap = np.where(now, np.where(now, values, 0.0) - mean, 0.0)
        total = weight + now
        share = np.where(now, 1 / np.where(now, total, 1.0), 0.0)
        squares += gap * gap * weight * share
        mean += gap * share
        weight, weight2 = total, weight2 + now
        count += now
        with np.errstate(invalid="ignore", divide="ignore"):
            free = weight - weight2 / weight
            out[row] = np.where((count >= max(least, 2)) & (free > 0), np.sqrt(squares / free), np.nan)
    return out
