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
from typing import Generic, TypeVar

import numpy as np

from quorate.core.types import FloatArray

# Statistics of the windows of one length: an array (..., n), or several of them.
Rows = TypeVar("Rows")


class Pyramid(Generic[Rows]):
    """Statistics of the windows of every power of two over a series, each level computed once and kept.

    Args:
        leaf: statistics of each window of one bar, (..., n) each.
        join: (older window, its length, newer window, its length) -> the same statistics of both together.
        cut: the statistics of some of the windows.
    """

    def __init__(
        self,
        leaf: Rows,
        join: Callable[[Rows, int, Rows, int], Rows],
        cut: Callable[[Rows, slice], Rows],
    ) -> None:
        self._levels = [leaf]
        self._join, self._cut = join, cut

    def over(self, bars: int) -> Rows:
        """The statistics of each full window of `bars`, oldest first, (..., n - bars + 1) each."""
        levels, join, cut = self._levels, self._join, self._cut
        window, length = levels[0], 0
        for level in range(bars.bit_length()):
            size = 1 << level
            if level == len(levels):
                half, step = levels[-1], size >> 1
                levels.append(join(cut(half, slice(-step)), step, cut(half, slice(step, None)), step))
            if bars & size:
                piece = levels[level]
                if length:
                    window = join(cut(piece, slice(-length)), size, cut(window, slice(size, None)), length)
                else:
                    window = piece
                length += size
        return window


def sums(x: FloatArray) -> Pyramid[FloatArray]:
    """The sum of each window, for one series (n,) or several (..., n)."""
    return Pyramid(x, _join_sums, _cut)


def decayed_sums(x: FloatArray, decay: float | FloatArray) -> Pyramid[FloatArray]:
    """The sum of each window with a value i bars old weighted by decay**i.

    Args:
        x: (..., n) series.
        decay: of all, or one of each, (..., 1).
    """

    def join(older: FloatArray, _a: int, newer: FloatArray, b: int) -> FloatArray:
        total: FloatArray = older * decay**b
        total += newer
        return total

    return Pyramid(x, join, _cut)


def moments(x: FloatArray) -> Pyramid[tuple[FloatArray, ...]]:
    """The mean of each window of a series (..., n), and the sum of the squared deviations from it."""
    return Pyramid((x, np.zeros(x.shape)), _join_moments, _cut_each)


def path_moments(step: FloatArray) -> Pyramid[tuple[FloatArray, ...]]:
    """Mean, sum of squared deviations and end of the cumulative sum of each window, which starts at 0."""
    return Pyramid((step, np.zeros(step.shape), step), _join_paths, _cut_each)


def _cut(rows: FloatArray, part: slice) -> FloatArray:
    return rows[..., part]


def _cut_each(rows: tuple[FloatArray, ...], part: slice) -> tuple[FloatArray, ...]:
    return tuple([row[..., part] for row in rows])


def _join_sums(older: FloatArray, _a: int, newer: FloatArray, _b: int) -> FloatArray:
    return older + newer


def _join_moments(
    older: tuple[FloatArray, ...], a: int, newer: tuple[FloatArray, ...], b: int
) -> tuple[FloatArray, ...]:
    return _join_squares(newer[0] - older[0], older, a, newer, b)


def _join_paths(older: tuple[FloatArray, ...], a: int, newer: tuple[FloatArray, ...], b: int) -> tuple[FloatArray, ...]:
    gap = newer[0] - older[0]
    gap += older[2]  # the cumulative sum of the newer window continues from the end of the older one
    return *_join_squares(gap, older, a, newer, b), older[2] + newer[2]


def _join_squares(
    gap: FloatArray, older: tuple[FloatArray, ...], a: int, newer: tuple[FloatArray, ...], b: int
) -> tuple[FloatArray, FloatArray]:
    """Mean and squared deviations of both windows, whose means differ by `gap`, which becomes the mean."""
    squares = gap * gap
    squares *= a * b / (a + b)
    if a + b > 2:  # the deviation of a single bar is 0
        squares += older[1]
        squares += newer[1]
    gap *= b / (a + b)
    gap += older[0]
    return gap, squares
