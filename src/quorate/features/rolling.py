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

Join = Callable[[FloatArray, int, FloatArray, int], FloatArray]


class Pyramid:
    """Statistics of the windows of every power of two over a series, each level computed once and kept.

    Args:
        leaf: (n,) or (k, n), k statistics of each window of one bar.
        join: (older window, its length, newer window, its length) -> the same statistics of both together.
    """

    def __init__(self, leaf: FloatArray, join: Join) -> None:
        self._levels = [leaf]
        self._join = join

    def over(self, bars: int) -> FloatArray:
        """The statistics of each full window of `bars`, oldest first: (n - bars + 1,) or (k, n - bars + 1)."""
        levels, join = self._levels, self._join
        window, length = levels[0], 0
        for level in range(bars.bit_length()):
            size = 1 << level
            if level == len(levels):
                half, step = levels[-1], size >> 1
                levels.append(join(half[..., :-step], step, half[..., step:], step))
            if bars & size:
                piece = levels[level]
                window = join(piece[..., :-length], size, window[..., size:], length) if length else piece
                length += size
        return window


def sums(x: FloatArray) -> Pyramid:
    """The sum of each window, for one series (n,) or several (k, n)."""
    return Pyramid(x, lambda older, _a, newer, _b: older + newer)


def decayed_sums(x: FloatArray, decay: float) -> Pyramid:
    """The sum of each window with a value i bars old weighted by decay**i."""
    return Pyramid(x, lambda older, _a, newer, b: older * decay**b + newer)


def moments(x: FloatArray) -> Pyramid:
    """(2, n): the mean of each window, and the sum of the squared deviations from it."""
    leaf = np.zeros((2, len(x)))
    leaf[0] = x
    return Pyramid(leaf, _join_moments)


def path_moments(step: FloatArray) -> Pyramid:
    """(3, n): mean, sum of squared deviations and end of the cumulative sum of each window, which starts at 0."""
    leaf = np.zeros((3, len(step)))
    leaf[0] = leaf[2] = step
    return Pyramid(leaf, _join_paths)


def _join_moments(older: FloatArray, a: int, newer: FloatArray, b: int) -> FloatArray:
    joined = np.empty(older.shape)
    gap = newer[0] - older[0]
    _join_squares(joined, gap, older, a, newer, b)
    return joined


def _join_paths(older: FloatArray, a: int, newer: FloatArray, b: int) -> FloatArray:
    joined = np.empty(older.shape)
    gap = newer[0] - older[0]
    gap += older[2]  # the cumulative sum of the newer window continues from the end of the older one
    _join_squares(joined, gap, older, a, newer, b)
    np.add(older[2], newer[2], out=joined[2])
    return joined


def _join_squares(joined: FloatArray, gap: FloatArray, older: FloatArray, a: int, newer: FloatArray, b: int) -> None:
    """Rows 0 and 1 of `joined` from those of the windows, whose means differ by `gap`."""
    squares = joined[1]
    np.multiply(gap, gap, out=squares)
    squares *= a * b / (a + b)
    if a + b > 2:  # the deviation of a single bar is 0
        squares += older[1]
        squares += newer[1]
    gap *= b / (a + b)
    np.add(gap, older[0], out=joined[0])
