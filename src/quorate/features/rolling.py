"""Rolling statistics of the newest `bars` values of a series, for every row that has that many.

There are no running sums: one huge value would leave its rounding error in every later row, and a row would depend on
where the history begins. Windows of 2, 4, 8, ... bars are joined from two of half the length, and a window of any
length from those. A row depends on the values in its window only, bit for bit, in about log2(bars) passes.

`moments` sums squared deviations from each window's own mean, so that nothing cancels where a series is far from zero,
and a flat window has exactly 0.

Reference: Chan, Golub, LeVeque (1979), Updating formulae and a pairwise algorithm for computing sample variances.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from quorate.core.types import FloatArray

# Statistics of the windows of one length, each a flat array.
Rows = tuple[FloatArray, ...]

# A function (windows, their length a, other windows, their length b) -> the statistics of the a older and the b newer
# bars together: of `windows[:-b]` and `others[a:]`.
Join = Callable[[Rows, int, Rows, int], Rows]


class Pyramid:
    """Statistics of the windows of every power of two over series, each level computed once and kept.

    Several series are computed as one behind the other, since calls of numpy on flat arrays take a third of the time.
    Windows across two of them are left out at the end.

    Args:
        leaf: statistics of each window of one bar, (..., n) each.
        join: joins windows of two lengths.
    """

    def __init__(self, leaf: Rows, join: Join) -> None:
        self._shape = leaf[0].shape
        self._levels = [tuple([rows.reshape(-1) for rows in leaf]) if len(self._shape) > 1 else leaf]
        self._join = join

    def over(self, bars: int, divisor: float | None = None) -> Rows:
        """The statistics of each full window of `bars`, oldest first: (..., n - bars + 1) each.

        Args:
            bars: of a window.
            divisor: of all statistics, such as `bars` for means of sums.
        """
        levels, join = self._levels, self._join
        window, length, size = levels[0], 0, 1
        for level in range(bars.bit_length()):
            if level == len(levels):
                half, step = levels[-1], size >> 1
                levels.append(join(half, step, half, step))
            if bars & size:
                window = join(levels[level], size, window, length) if length else levels[level]
                length += size
            size <<= 1
        if divisor is not None:
            window = tuple([rows / divisor for rows in window])
        return window if len(self._shape) == 1 else tuple([self._of_each(rows, bars) for rows in window])

    def _of_each(self, rows: FloatArray, bars: int) -> FloatArray:
        """A view of the windows within each series."""
        *several, length = self._shape
        if length < bars:
            return np.empty((*several, 0))
        strides = [rows.itemsize * length]
        for number in several[:0:-1]:
            strides.insert(0, strides[0] * number)
        return np.ndarray((*several, length - bars + 1), rows.dtype, rows, 0, (*strides, rows.itemsize))


class Sums:
    """The sum of each window, for one series (n,) or several (..., n)."""

    def __init__(self, x: FloatArray, join: Join) -> None:
        self._pyramid = Pyramid((x,), join)

    def over(self, bars: int) -> FloatArray:
        """Of each full window of `bars`, oldest first: (..., n - bars + 1)."""
        return self._pyramid.over(bars)[0]

    def mean(self, bars: int) -> FloatArray:
        """The sums divided by `bars`."""
        return self._pyramid.over(bars, bars)[0]


def sums(x: FloatArray) -> Sums:
    """The sum of each window, for one series (n,) or several (..., n)."""
    return Sums(x, lambda older, a, newer, b: (older[0][:-b] + newer[0][a:],))


def decayed_sums(x: FloatArray, decay: float) -> Sums:
    """The sum of each window with a value i bars old weighted by decay**i."""

    def join(older: Rows, a: int, newer: Rows, b: int) -> Rows:
        total: FloatArray = older[0][:-b] * decay**b
        total += newer[0][a:]
        return (total,)

    return Sums(x, join)


def moments(x: FloatArray) -> Pyramid:
    """The mean of each window of a series (..., n), and the sum of the squared deviations from it."""
    return Pyramid((x, np.zeros(x.shape)), _join_moments)


def path_moments(step: FloatArray) -> Pyramid:
    """Mean, sum of squared deviations and end of the cumulative sum of each window, which starts at 0."""
    return Pyramid((step, np.zeros(step.shape), step), _join_paths)


def _join_moments(older: Rows, a: int, newer: Rows, b: int) -> Rows:
    return _join_squares(newer[0][a:] - older[0][:-b], older, a, newer, b)


def _join_paths(older: Rows, a: int, newer: Rows, b: int) -> Rows:
    end = older[2][:-b]
    gap = newer[0][a:] - older[0][:-b]
    gap += end  # the cumulative sum of the newer window continues from the end of the older one
    return *_join_squares(gap, older, a, newer, b), end + newer[2][a:]


def _join_squares(gap: FloatArray, older: Rows, a: int, newer: Rows, b: int) -> tuple[FloatArray, FloatArray]:
    """Mean and squared deviations of both windows, whose means differ by `gap`, which becomes the mean."""
    squares = gap * gap
    squares *= a * b / (a + b)
    if a + b > 2:  # the deviation of a single bar is 0
        squares += older[1][:-b]
        squares += newer[1][a:]
    gap *= b / (a + b)
    gap += older[0][:-b]
    return gap, squares
