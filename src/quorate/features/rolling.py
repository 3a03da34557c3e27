"""Statistics of the newest `bars` values of a series, for every row that has so many.

No running sums: one huge value would leave its rounding error in every later row, and a row would depend on where
the history begins. Instead windows of 2, 4, 8, ... bars are made by joining two of half the length, and a window of
any length from those. A row then depends on the values in its window alone, bit for bit, at about log2(bars) passes.

Where a series may be far from zero, squares and products are of deviations from the window's mean, so that nothing
cancels and a flat window has exactly 0.

Reference: Chan, Golub, LeVeque (1979), Updating formulae and a pairwise algorithm for computing sample variances.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from quorate.core.types import FloatArray

Join = Callable[[FloatArray, int, FloatArray, int], FloatArray]


class Pyramid:
    """Windows of every power of two over a series, each level made once and kept.

    Args:
        leaf: (n,) or (k, n), k numbers about each window of one bar.
        join: (older piece, its length, newer piece, its length) -> the same numbers about both together.
    """

    def __init__(self, leaf: FloatArray, join: Join) -> None:
        self._levels = [leaf]
        self._join = join

    def over(self, bars: int) -> FloatArray:
        """The numbers about each full window of `bars`, oldest first: (n - bars + 1,) or (k, n - bars + 1)."""
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


def comoments(x: FloatArray, y: FloatArray, steps: FloatArray) -> Pyramid:
    """Of two series, and of the path that the steps of a window walk from 0: (8, n).

    Rows 0 to 2 are the means of x, y and the path, 3 to 5 their sums of squared deviations, 6 the sum of the products
    of the deviations of x and y, 7 the end of the path.
    """
    leaf = np.zeros((8, len(x)))
    leaf[0], leaf[1], leaf[2], leaf[7] = x, y, steps, steps
    return Pyramid(leaf, _join_comoments)


def _join_comoments(older: FloatArray, a: int, newer: FloatArray, b: int) -> FloatArray:
    joined = np.empty(older.shape)
    gap = newer[:3] - older[:3]
    gap[2] += older[7]  # the newer piece walks on from where the older one ended
    np.multiply(gap, gap, out=joined[3:6])
    np.multiply(gap[0], gap[1], out=joined[6])
    deviations = joined[3:7]
    deviations *= a * b / (a + b)
    deviations += older[3:7]
    deviations += newer[3:7]
    gap *= b / (a + b)
    np.add(gap, older[:3], out=joined[:3])
    np.add(older[7], newer[7], out=joined[7])
    return joined
