"""Distributions in cells between quantiles, and two distances between them: PSI and Kolmogorov-Smirnov.

Both distances are of counts in the same cells, so that a distribution is kept as a few numbers and windows of days are
sums of the counts of their days. What is a large distance depends on the rows: see `stationary_streams`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from quorate.core.types import FloatArray, IntArray

# Share of an empty cell: without it a single new value would make the index infinite.
_LEAST_SHARE = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class QuantileCells:
    """Cells of a variable that held about the same number of its values.

    A cell holds low < x <= high; the first and the last are open. Equal values are in one cell, so that a variable of
    few values, such as a flag, has few cells.

    Attributes:
        edges: (k - 1,) float64, increasing.
    """

    edges: FloatArray

    @classmethod
    def of(cls, values: FloatArray, cells: int) -> Self:
        """Cells of (n,) finite values, at most `cells` of them.

        >>> QuantileCells.of(np.array([0.0, 0.0, 0.0, 1.0]), 4).edges
        array([0.])
        """
        inner = np.quantile(values, np.arange(1, cells) / cells, method="inverted_cdf") if len(values) else np.empty(0)
        edges = np.unique(inner)
        return cls(edges[edges < values.max()].astype(np.float64) if len(values) else edges)

    def __len__(self) -> int:
        return len(self.edges) + 1

    def place(self, values: FloatArray) -> IntArray:
        """(n,) cell of each value, from 0."""
        return np.searchsorted(self.edges, values, side="left").astype(np.int64)


def shares_of(counts: Any) -> FloatArray:
    """Shares of (..., k) counts, 0 where there are none."""
    counts = np.asarray(counts, np.float64)
    total = counts.sum(axis=-1, keepdims=True)
    return np.asarray(np.divide(counts, total, out=np.zeros_like(counts), where=total > 0))


def stability_index(expected: FloatArray, found: FloatArray) -> FloatArray:
    """(...,) population stability index of (..., k) shares: the sum of (found - expected) ln(found / expected).

    0 is no difference. By a rule of thumb of credit scoring, below 0.1 is small and above 0.25 large, for independent
    rows. Empty cells count as a share of 0.0001.

    Source: Siddiqi (2006), Credit Risk Scorecards.

    >>> round(float(stability_index(np.array([0.5, 0.5]), np.array([0.75, 0.25]))), 4)
    0.2747
    """
    low, high = np.maximum(expected, _LEAST_SHARE), np.maximum(found, _LEAST_SHARE)
    return np.asarray(((high - low) * np.log(high / low)).sum(axis=-1))


def largest_gap(expected: FloatArray, found: FloatArray) -> FloatArray:
    """(...,) Kolmogorov-Smirnov distance of (..., k) shares at the edges of their cells, 0 to 1.

    >>> float(largest_gap(np.array([0.5, 0.5]), np.array([0.75, 0.25])))
    0.25
    """
    return np.asarray(np.abs(np.cumsum(found - expected, axis=-1)).max(axis=-1))
