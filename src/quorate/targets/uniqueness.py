"""How much each label says that no overlapping one says too."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from quorate.core.clock import timeframe_ms
from quorate.core.errors import TargetError
from quorate.core.types import FloatArray, IntArray


def uniqueness_weights(
    time: IntArray, span_end: IntArray, timeframe: str, symbol: npt.NDArray[np.integer] | None = None
) -> FloatArray:
    """Average uniqueness of each label: the mean, over the bars of its span, of 1 / labels whose span holds that bar.

    Spans include both their ends. Labels of different symbols do not overlap. Weights are scaled to a mean of 1.

    Args:
        time: (n,) int64 bar times in ms.
        span_end: (n,) int64 open time of the bar whose close each label reads last.
        timeframe: of the bars.
        symbol: (n,) which market each row is of; None for one market.

    Returns:
        (n,) float64, above 0.

    Raises:
        TargetError: a span that ends before it begins or off the bars.

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
            expected=f"whole bars of {timeframe}, none negative",
        )
    weights = np.empty(len(time))
    groups = np.zeros(len(time), np.int64) if symbol is None else symbol
    for market in np.unique(groups):
        rows = np.flatnonzero(groups == market)
        weights[rows] = _average_uniqueness((time[rows] - time[rows].min()) // step, span[rows] // step)
    return weights / weights.mean() if len(weights) else weights


def _average_uniqueness(first: IntArray, length: IntArray) -> FloatArray:
    """Of one market, with spans as bar numbers."""
    last = first + length
    bars = int(last.max()) + 1
    # Labels alive at each bar: one more where a span begins, one less after it ends.
    alive = np.cumsum(np.bincount(first, minlength=bars + 1) - np.bincount(last + 1, minlength=bars + 1))[:bars]
    share = np.zeros(bars + 1)
    np.cumsum(1 / np.maximum(alive, 1), out=share[1:])
    uniqueness: FloatArray = (share[last + 1] - share[first]) / (length + 1)
    return uniqueness
