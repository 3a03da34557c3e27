"""Statistics of the newest `bars` values of a series, for every row.

No running sums: one huge value would leave its rounding error in every later row, and a row would depend on where
the history begins. Instead windows of 2, 4, 8, ... bars are made by joining two of half the length, and a window of
any length from those. A row then depends on the values in its window alone, bit for bit, at about log2(bars) passes.

Squares, cubes and products are of deviations from the window's mean, so that a flat window has exactly 0.
Everything is (n,) float64 with NaN in the first bars - 1 rows.

Reference: Chan, Golub, LeVeque (1979), Updating formulae and a pairwise algorithm for computing sample variances;
Pebay (2008), Formulas for robust, one-pass parallel computation of covariances and arbitrary-order moments.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from quorate.core.types import FloatArray

State = tuple[FloatArray, ...]
Join = Callable[[State, int, State, int], State]


class Pyramid:
    """Windows of every power of two over some series, each level made once and kept.

    Args:
        leaf: the state of a window of one bar, arrays of (n,).
        join: the state of a window from that of its older and its newer piece and their lengths.
    """

    def __init__(self, leaf: State, join: Join) -> None:
        self._levels = [leaf]
        self._join = join

    def over(self, bars: int) -> State:
        """The state of each full window of `bars`, oldest first: arrays of (n - bars + 1,)."""
        if len(self._levels[0][0]) < bars:
            return tuple(array[:0] for array in self._levels[0])
        window: State = ()
        length = 0
        for level in range(bars.bit_length()):
            size = 1 << level
            if bars & size:
                piece = self._level(level)
                if length:
                    older = tuple(array[: len(array) - length] for array in piece)
                    newer = tuple(array[size:] for array in window)
                    window = self._join(older, size, newer, length)
                else:
                    window = piece
                length += size
        return window

    def _level(self, level: int) -> State:
        while len(self._levels) <= level:
            size = 1 << (len(self._levels) - 1)
            half = self._levels[-1]
            older, newer = tuple(array[:-size] for array in half), tuple(array[size:] for array in half)
            self._levels.append(self._join(older, size, newer, size))
        return self._levels[level]


def sums(x: FloatArray) -> Pyramid:
    """(sum,) of each window."""
    return Pyramid((x,), lambda older, _a, newer, _b: (older[0] + newer[0],))


def decayed_sums(x: FloatArray, decay: float) -> Pyramid:
    """(sum,) of each window, a value i bars old weighted by decay**i."""
    return Pyramid((x,), lambda older, _a, newer, b: (older[0] * decay**b + newer[0],))


def moments(x: FloatArray) -> Pyramid:
    """(mean, sum of squared deviations from it) of each window."""
    return Pyramid((x, np.zeros_like(x)), _join_squares)


def cubic_moments(x: FloatArray) -> Pyramid:
    """(mean, sum of squared deviations, sum of cubed deviations) of each window."""
    return Pyramid((x, np.zeros_like(x), np.zeros_like(x)), _join_cubes)


def products(x: FloatArray, y: FloatArray) -> Pyramid:
    """(mean of x, mean of y, sum of the products of their deviations) of each window."""
    return Pyramid((x, y, np.zeros_like(x)), _join_products)


def path_moments(step: FloatArray) -> Pyramid:
    """(sum of steps, mean and squared deviations of the path they walk from 0) of each window."""
    return Pyramid((step, step, np.zeros_like(step)), _join_paths)


def padded(values: FloatArray, rows: int) -> FloatArray:
    """`values` as the newest of `rows` rows, NaN before."""
    out = np.empty(rows)
    missing = rows - len(values)
    out[:missing] = np.nan
    out[missing:] = values
    return out


def _join_squares(older: State, a: int, newer: State, b: int) -> State:
    gap = newer[0] - older[0]
    mean = gap * (b / (a + b))
    mean += older[0]
    gap *= gap
    gap *= a * b / (a + b)
    gap += older[1]
    gap += newer[1]
    return mean, gap


def _join_cubes(older: State, a: int, newer: State, b: int) -> State:
    n = a + b
    gap = newer[0] - older[0]
    squares = gap * gap
    cubes = newer[1] * (3 * a / n)
    cubes -= older[1] * (3 * b / n)
    if a != b:
        cubes += squares * (a * b * (a - b) / n**2)
    cubes *= gap
    cubes += older[2]
    cubes += newer[2]
    squares *= a * b / n
    squares += older[1]
    squares += newer[1]
    gap *= b / n
    gap += older[0]
    return gap, squares, cubes


def _join_products(older: State, a: int, newer: State, b: int) -> State:
    gap_x, gap_y = newer[0] - older[0], newer[1] - older[1]
    product = gap_x * gap_y
    product *= a * b / (a + b)
    product += older[2]
    product += newer[2]
    gap_x *= b / (a + b)
    gap_x += older[0]
    gap_y *= b / (a + b)
    gap_y += older[1]
    return gap_x, gap_y, product


def _join_paths(older: State, a: int, newer: State, b: int) -> State:
    # The newer piece walks on from where the older one ended.
    gap = newer[1] + older[0]
    gap -= older[1]
    mean = gap * (b / (a + b))
    mean += older[1]
    gap *= gap
    gap *= a * b / (a + b)
    gap += older[2]
    gap += newer[2]
    return older[0] + newer[0], mean, gap
