"""Columns of a market side by side."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from quorate.core.machine import whole_cores
from quorate.features.bars import Bars
from quorate.features.column import Column, Compute

# Rows computed at a time, so that what the columns share stays in the processor's cache.
_BLOCK = 16_384

# Very long histories are computed in blocks of twice that on several threads: numpy and TA-Lib release the global
# interpreter lock, and larger blocks contend less for it. More than four threads contend too much.
_LONG = 8 * _BLOCK
THREADS = min(4, whole_cores())

# Bytes of a line of the processor's cache.
_LINE = 64

# Most columns have no longer warm-up: where only the newest rows are computed, they are computed from few bars.
_NEAR = 96

Matrix = npt.NDArray[np.floating[Any]]


def fill(X: Matrix, bars: Bars, columns: tuple[Column, ...]) -> None:
    """Write the newest rows of the columns side by side into X, (rows, F).

    NaN in each column's warm-up rows; a value beyond the range of X's type becomes its largest number.
    """
    end = len(bars)
    begin = end - len(X)

    def work(first: int, last: int) -> None:
        X[first - begin : last - begin] = _block(bars, first, last, columns, X.dtype).T

    if len(X) < _LONG or THREADS < 2:
        for first in range(begin, end, _BLOCK):
            work(first, min(first + _BLOCK, end))
        return
    firsts = range(begin, end, 2 * _BLOCK)
    with ThreadPoolExecutor(THREADS, "quorate-features") as pool:
        # Consumed, so that an exception of a column or a block is raised here.
        deque(pool.map(partial(_carry, bars), columns), maxlen=0)
        deque(pool.map(work, firsts, [*firsts[1:], end]), maxlen=0)


def _carry(bars: Bars, column: Column) -> None:
    """Compute what a column reads of results that carry a state, which all blocks share, by asking for one row of it.

    Otherwise all threads would ask for these results in the same order, and wait for the one that computes the next.
    """
    if column.warmup < len(bars):
        with np.errstate(all="ignore"):
            column.compute(bars.part(0, column.warmup + 1))


def _block(bars: Bars, first: int, last: int, columns: tuple[Column, ...], dtype: np.dtype[np.floating[Any]]) -> Matrix:
    """Columns one after the other, (F, rows): each is written contiguously, and the caller transposes them together."""
    block = np.empty((len(columns), _pitch(last - first, dtype)), dtype)[:, : last - first]
    with np.errstate(all="ignore"):
        for reach, group in _by_reach(columns, split=last - first < _NEAR):
            part = bars.part(max(0, first - reach), last)
            for place, warmup, compute in group:
                if warmup <= first:
                    block[place] = compute(part)[first - last :]
                else:
                    block[place, : warmup - first] = np.nan
                    if warmup < last:
                        block[place, warmup - first :] = compute(part)[warmup - last :]
        hold(block)
    return block


def _pitch(rows: int, dtype: np.dtype[np.floating[Any]]) -> int:
    """Places from one column of a block to the next: an odd number of cache lines.

    With a power of two, the same row of all columns would fall into the same few lines of the cache, and transposing a
    block would take three times as long.
    """
    lines = -(-rows * dtype.itemsize // _LINE) | 1
    return lines * _LINE // dtype.itemsize


def hold(X: Matrix) -> None:
    """Clip values beyond the range of X's type to its largest number."""
    if np.isinf(X).any():
        np.clip(X, np.finfo(X.dtype).min, np.finfo(X.dtype).max, out=X)


@lru_cache(maxsize=64)
def _by_reach(columns: tuple[Column, ...], *, split: bool) -> list[tuple[int, list[tuple[int, int, Compute]]]]:
    """Columns with their positions, and the bars that they need before a row; in two groups if `split`."""
    limit = _NEAR if split else max(column.warmup for column in columns)
    groups = []
    for near in (True, False):
        group = [(i, column) for i, column in enumerate(columns) if (column.warmup <= limit) == near]
        if group:
            # One bar more than the longest warm-up, for columns that begin with a difference.
            reach = max(column.warmup for _, column in group) + 1
            groups.append((reach, [(i, column.warmup, column.compute) for i, column in group]))
    return groups
