"""Rolling statistics of the newest `bars` values of a series, for every row that has that many.

There are no running sums: one huge value would leave its rounding error in every later row, and a row would depend on
where the history begins. Windows of 2, 4, 8, ... bars are joined from two of half the length, and a window of any
length from those. A row depends on the values in its window only, bit for bit, in about log2(bars) passes.

`moments` sums squared deviations from each window's own mean, so that nothing cancels where a series is far from zero,
and a flat window has exactly 0.

Reference: Chan, Golub, LeVeque (1979), Updating formulae and a pairwise algorithm for computing sample variances.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np

from quorate.core.types import FloatArray

# Statistics of the windows of one length, each a flat array; and one of them, or several.
Rows = tuple[FloatArray, ...]
Statistics = TypeVar("Statistics")

# A function (windows, their length a, other windows, their length b) -> the statistics of the a older and the b newer
# bars together: of `windows[:-b]` and `others[a:]`.
Join = Callable[[Statistics, int, Statistics, int], Statistics]

# Windows whose deviations are computed at once, so that 20 values of each stay in the processor's cache.
_AT_ONCE = 4_096


class Pyramid(Generic[Statistics]):
    """Statistics of the windows of every power of two over series, each level computed once and kept.

    Several series are computed as one behind the other, since calls of numpy on flat arrays take a third of the time.
    Windows across two of them are left out at the end.

    Args:
        leaf: statistics of each window of one bar, flat.
        shape: of the series, (..., n).
        join: joins windows of two lengths.
    """

    def __init__(self, leaf: Statistics, shape: tuple[int, ...], join: Join[Statistics]) -> None:
        self._levels = [leaf]
        self._shape = shape
        self._join = join

    def _over(self, bars: int) -> Statistics:
        """The statistics of each full window of `bars`, oldest first, flat."""
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
        return window

    def _of_each(self, rows: FloatArray, bars: int) -> FloatArray:
        """The windows within each series: (..., n - bars + 1), a view."""
        *several, length = self._shape
        if not several:
            return rows
        if length < bars:
            return np.empty((*several, 0))
        strides = [rows.itemsize * length]
        for number in several[:0:-1]:
            strides.insert(0, strides[0] * number)
        return np.ndarray((*several, length - bars + 1), rows.dtype, rows, 0, (*strides, rows.itemsize))


class Sums(Pyramid[FloatArray]):
    """The sum of each window, for one series (n,) or several (..., n)."""

    def over(self, bars: int) -> FloatArray:
        """Of each full window of `bars`, oldest first: (..., n - bars + 1)."""
        return self._of_each(self._over(bars), bars)

    def mean(self, bars: int) -> FloatArray:
        """The sums divided by `bars`."""
        return self._of_each(self._over(bars) / bars, bars)


class WindowMoments(Pyramid[Rows]):
    """Mean, sum of squared deviations and more of each window, for one series (n,) or several (..., n)."""

    def over(self, bars: int) -> Rows:
        """Of each full window of `bars`, oldest first: (..., n - bars + 1) each."""
        return tuple([self._of_each(rows, bars) for rows in self._over(bars)])


def sums(x: FloatArray) -> Sums:
    """The sum of each window, for one series (n,) or several (..., n)."""
    return Sums(x.reshape(-1), x.shape, _join_sums)


def _join_sums(older: FloatArray, a: int, newer: FloatArray, b: int) -> FloatArray:
    total: FloatArray = older[:-b] + newer[a:]
    return total


def decayed_sums(x: FloatArray, decay: float) -> Sums:
    """The sum of each window with a value i bars old weighted by decay**i."""

    def join(older: FloatArray, a: int, newer: FloatArray, b: int) -> FloatArray:
        total: FloatArray = older[:-b] * decay**b
        total += newer[a:]
        return total

    return Sums(x.reshape(-1), x.shape, join)


def moments(x: FloatArray) -> WindowMoments:
    """The mean of each window of a series (..., n), and the sum of the squared deviations from it."""
    return WindowMoments((x.reshape(-1), np.zeros(x.size)), x.shape, _join_moments)


def path_moments(step: FloatArray) -> WindowMoments:
    """Mean, sum of squared deviations and end of the cumulative sum of each window, which starts at 0."""
    flat = step.reshape(-1)
    return WindowMoments((flat, np.zeros(step.size), flat), step.shape, _join_paths)


def mean_deviation(x: FloatArray, mean: FloatArray, bars: int) -> FloatArray:
    """The mean absolute deviation of each window from its own mean m, as 2 (mean of max(x, m) - m).

    Deviations above and below a mean have the same sum, so that only those above are added up.

    Args:
        x: (..., n), contiguous.
        mean: (..., n - bars + 1), the mean of each full window.
        bars: length of a window.

    Returns:
        (..., n - bars + 1).
    """
    total = np.empty(mean.shape)
    if not mean.size:
        return total
    windows = np.ndarray((bars, *mean.shape), x.dtype, x, 0, (x.itemsize, *x.strides))
    step = max(1, _AT_ONCE // math.prod(mean.shape[:-1]))
    for first in range(0, mean.shape[-1], step):
        rows = slice(first, first + step)
        above = np.maximum(windows[..., rows], mean[..., rows])
        # Halved, so that a sum does not depend on how many windows are computed at once, as that of numpy does.
        count = bars
        while count > 1:
            half = count // 2
            above[:half] += above[count - half : count]
            count -= half
        total[..., rows] = above[0]
    total /= bars
    total -= mean
    total *= 2
    return total


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
