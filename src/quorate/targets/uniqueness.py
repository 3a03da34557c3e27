"""Sample weights by the uniqueness of overlapping labels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from quorate.core.clock import timeframe_ms
from quorate.core.errors import TargetError
from quorate.core.types import FloatArray, IntArray


def uniqueness_weights(
    time: IntArray, span_end: IntArray, timeframe: str, symbol: npt.NDArray[np.integer] | None = None
) -> FloatArray:
    """Average uniqueness of each label: the mean over the bars of its span of 1 / number of labels that cover the bar.

    Spans include both ends. Labels of different symbols do not overlap. Weights are scaled to a mean of 1.

    Args:
        time: (n,) int64 bar times in ms.
        span_end: (n,) int64, open time in ms of the last bar whose close each label uses.
        timeframe: of the bars.
        symbol: (n,) number of each row's market; None for one market.

    Returns:
        (n,) float64, above 0.

    Raises:
        TargetError: a span of negative length, or not of whole bars.

    Reference: López de Prado (2018), Advances in Financial Machine Learning, section 4.4.

    >>> uniqueness_weights(np.array([0, 60_000, 240_000]), np.array([60_000, 120_000, 300_000]), "1m").round(4)
    array([0.9, 0.9, 1.2])
    """
    step = timeframe_ms(timeframe)
    span = span_end - time
    if (span < 0).any() or (span % step).any():
        row = int(np.flatnonzero((span < 0) | (span % step != 0))[0])
        raise TargetError(
            "weight the labels",
            found=f"a span of {int(span[row])} ms in row {row}",
            expected=f"0 or more whole bars of {timeframe}",
        )
    weights = np.empty(len(time))
    groups = np.zeros(len(time), np.int64) if symbol is None else symbol
    for market in np.unique(groups):
        rows = np.flatnonzero(groups == market)
        weights[rows] = _average_uniqueness((time[rows] - time[rows].min()) // step, span[rows] // step)
    return weights / weights.mean() if len(weights) else weights


def _average_uniqueness(first: IntArray, length: IntArray) -> FloatArray:
    """Average uniqueness for one market, with spans as numbers of bars."""
    last = first + length
    bars = int(last.max()) + 1
    # Number of labels that cover each bar: plus one where a span begins, minus one after it ends.
    alive = np.cumsum(np.bincount(first, minlength=bars + 1) - np.bincount(last + 1, minlength=bars + 1))[:bars]
    share = np.zeros(bars + 1)
    np.cumsum(1 / np.maximum(alive, 1), out=share[1:])
    uniqueness: FloatArray = (share[last + 1] - share[first]) / (length + 1)
    return uniqueness
