"""Columns that move together, as groups: average linkage by rank correlation.

The importance of one of two columns that say the same is near zero for each, since the other one remains. Such columns
are judged together.

Source: López de Prado (2020), Machine Learning for Asset Managers, section 6.5: clustered feature importance; Sokal and
Michener (1958) for average linkage.
"""

from __future__ import annotations

import numpy as np

from quorate.core.types import Float32Array, FloatArray
from quorate.evaluation.statistics.rank_correlation import average_ranks

# Rows that ranks are taken of: a correlation of 0.7 is then known within about 0.01 of what independent rows give.
_MOST_ROWS = 10_000


def column_groups(X: Float32Array, correlation: float) -> tuple[tuple[int, ...], ...]:
    """Groups of columns; the two groups of the highest mean absolute rank correlation are joined as long as it is high.

    Args:
        X: (n, F), finite; of many rows, some are taken evenly.
        correlation: mean over all pairs of a column of one group and one of the other from which two are joined.

    Returns:
        Places of the columns of each group, ascending; groups in order of their first column. A constant column is a
        group of its own.

    >>> rise = np.arange(50.0)
    >>> column_groups(np.column_stack([rise, rise % 7, rise**3, -rise]).astype(np.float32), 0.7)
    ((0, 2, 3), (1,))
    """
    likeness = rank_correlations(X[:: -(-len(X) // _MOST_ROWS)])
    groups = [[place] for place in range(X.shape[1])]
    # Mean likeness of each pair of groups; -1 on the diagonal, and for groups that were joined to another one.
    np.fill_diagonal(likeness, -1.0)
    while len(groups) > 1:
        first, second = sorted(divmod(int(likeness.argmax()), len(likeness)))
        if likeness[first, second] < correlation:
            break
        sizes = len(groups[first]), len(groups[second])
        joined = (sizes[0] * likeness[first] + sizes[1] * likeness[second]) / sum(sizes)
        likeness[first], likeness[:, first] = joined, joined
        likeness[first, first] = -1.0
        likeness = np.delete(np.delete(likeness, second, axis=0), second, axis=1)
        groups[first] += groups.pop(second)
    return tuple(tuple(sorted(group)) for group in sorted(groups, key=min))


def rank_correlations(X: Float32Array) -> FloatArray:
    """(F, F) absolute Spearman correlations of the columns of (n, F); 0 with a constant column."""
    ranks = np.column_stack([average_ranks(column.astype(np.float64)) for column in X.T])
    ranks -= ranks.mean(axis=0)
    size = np.sqrt((ranks * ranks).sum(axis=0))
    scaled = np.divide(ranks, size, out=np.zeros_like(ranks), where=size > 0)
    return np.asarray(np.abs(scaled.T @ scaled))
