"""Days as observations: the mean of a value over all rows of a UTC day, whatever the number of markets.

Markets move together and labels of neighbouring bars overlap, so rows of one day are nearly one observation. A day's
mean counts once, and what follows from few days stays close to nothing.
"""

from __future__ import annotations

import numpy as np

from quorate.core.clock import DAY_MS
from quorate.core.types import BoolArray, FloatArray, IntArray


def day_numbers(time: IntArray) -> tuple[IntArray, int]:
    """(n,) int64 number of each row's UTC day, from 0, counting days with rows only; and the number of days.

    Args:
        time: (n,) int64 ms UTC, in any order.

    >>> day_numbers(np.array([5 * DAY_MS, 2 * DAY_MS, 5 * DAY_MS + 1]))
    (array([1, 0, 1]), 2)
    """
    found, place = np.unique(np.asarray(time, np.int64) // DAY_MS, return_inverse=True)
    return place.astype(np.int64), len(found)


def day_means(value: FloatArray, day: IntArray, days: int, counted: BoolArray | None = None) -> FloatArray:
    """(days,) mean of the counted rows' values on each day; NaN on a day without any.

    Args:
        value: (n,), finite where counted.
        day: (n,) int64 numbers from 0.
        days: number of days.
        counted: (n,) bool; None for all rows.

    >>> day_means(np.array([1.0, 3.0, 5.0]), np.array([0, 0, 2]), 3).tolist()
    [2.0, nan, 5.0]
    """
    if counted is not None:
        value, day = value[counted], day[counted]
    rows = np.bincount(day, minlength=days)
    sums = np.bincount(day, value, days)
    return np.asarray(np.divide(sums, rows, out=np.full(days, np.nan), where=rows > 0))


def shrinkage(observations: FloatArray) -> float:
    """Weight of a mean against 0: 1 - error^2 / mean^2, and 0 where that is negative.

    The positive part of the James-Stein factor, for one mean (Efron and Morris 1973, JASA 68, section 2).

    Args:
        observations: (n,); NaN is left out.

    Returns:
        0 to 1; 0 for fewer than two observations.

    >>> shrinkage(np.array([1.0, 3.0, np.nan])), shrinkage(np.array([-1.0, 1.0])), shrinkage(np.array([2.0, 2.0]))
    (0.75, 0.0, 1.0)
    """
    known = observations[np.isfinite(observations)]
    if len(known) < 2:
        return 0.0
    square = float(known.mean()) ** 2
    variance = float(known.var(ddof=1)) / len(known)
    return max(0.0, 1 - variance / square) if square > 0 else 0.0
