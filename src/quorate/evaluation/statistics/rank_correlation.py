"""Ranks with ties, and Spearman's correlation."""

from __future__ import annotations

import math

import numpy as np

from quorate.core.types import FloatArray


def average_ranks(values: FloatArray) -> FloatArray:
    """(n,) ranks from 1; equal values share their mean rank.

    >>> average_ranks(np.array([0.3, 0.1, 0.3])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return np.asarray((last - (count - 1) / 2)[place])


def spearman(a: FloatArray, b: FloatArray) -> float:
    """Spearman's correlation of (n,) `a` and `b`, both finite; NaN if one of them is constant or n is 0.

    >>> round(spearman(np.array([1.0, 2.0, 3.0]), np.array([0.1, 0.3, 0.2])), 6)
    0.5
    """
    return rank_correlation(average_ranks(a), average_ranks(b))


def rank_correlation(a: FloatArray, b: FloatArray) -> float:
    """`spearman` of two variables, by the (n,) `average_ranks` of each."""
    if not len(a):
        return math.nan
    a, b = a - a.mean(), b - b.mean()
    size = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / size if size > 0 else math.nan
