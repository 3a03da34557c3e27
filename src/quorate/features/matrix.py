"""Columns of a market side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from quorate.core.machine import whole_cores
from quorate.features.bars import Bars
from quorate.features.column import Column, Compute, Finish
from quorate.features.market_stack import MarketStack, each_alone

# Rows computed at a time, so that what the columns share stays in the processor's cache.
_BLOCK = 16_384

# Very long histories are computed on several threads: numpy and TA-Lib release the global interpreter lock, and larger
# blocks contend less for it. More than four threads contend too much.
_LONG = 8 * _BLOCK
_THREADED_BLOCK = 4 * _BLOCK
THREADS = min(4, whole_cores())

# Bytes of a line of the processor's cache.
_LINE = 64

# Most columns have no longer warm-up: where only the newest rows are computed, they are computed from few bars.
_NEAR = 96

# Numbers that a function of several columns gets at once.
_FEW = 8_192

Matrix = npt.NDArray[np.floating[Any]]
# Warm-up and function of a column; and columns with their places.
Computed = tuple[int, Compute]
Placed = tuple[list[int], list[Computed]]


def fill(X: Matrix, bars: Bars | MarketStack, columns: tuple[Column, ...]) -> None:
    """Write the newest rows of the columns side by side into X, (rows, F) of one market or (S, rows, F) of several.

    NaN in each column's warm-up rows; a value beyond the range of X's type becomes its largest number.
    """
    end = len(bars)
    begin = end - X.shape[-2]
    threads = THREADS if end - begin >= _LONG else 1
    rows = _block_rows(end - begin, threads)
    firsts = iter(range(begin, end, rows or 1))
    columns_last = (*range(1, X.ndim), 0)

    def work() -> None:
        # One block of memory for all rows of a thread: fresh memory costs a page fault every 4 KiB.
        block = np.empty((len(columns), *bars.markets, _pitch(rows, X.dtype)), X.dtype)
        for first in firsts:
            last = min(first + rows, end)
            _write_block(block[..., : last - first], bars, first, columns)
            X[..., first - begin : last - begin, :] = block[..., : last - first].transpose(columns_last)

    if threads == 1:
        work()
        return
    with ThreadPoolExecutor(threads, "quorate-features") as pool:
        carried = [pool.submit(_carry, bars, column) for column in columns]
        for task in [*carried, *(pool.submit(work) for _ in range(threads))]:
            task.result()  # raises an exception of a column or a block


def _block_rows(rows: int, threads: int) -> int:
    """Rows of a block; of several threads each gets as many blocks, so that none waits for the others' last one."""
    if threads == 1:
        return min(_BLOCK, rows)
    rounds = math.ceil(rows / (threads * _THREADED_BLOCK))
    return math.ceil(rows / (threads * rounds))


def _carry(bars: Bars | MarketStack, column: Column) -> None:
    """Compute what a column reads of results that carry a state, which all blocks share, by asking for one row of it.

    Otherwise all threads would ask for these results in the same order, and wait for the one that computes the next.
    """
    if column.warmup < len(bars):
        with np.errstate(all="ignore"):
            column.compute(bars.part(0, column.warmup + 1))


def _write_block(block: Matrix, bars: Bars | MarketStack, first: int, columns: tuple[Column, ...]) -> None:
    """Write columns from row `first` on one after the other, each contiguously: (F, ..., rows)."""
    rows = block.shape[-1]
    with np.errstate(all="ignore"):
        for reach, group, shared in _by_reach(columns, split=rows < _NEAR, stacked=bool(bars.markets)):
            part = bars.part(max(0, first - reach), first + rows)
            _write(block, *group, part, first)
            # Together where the calls take longer than the numbers, one by one where these leave the cache.
            step = max(1, _FEW // max(1, rows * math.prod(bars.markets)))
            for finish, (places, columns_of_it) in shared:
                for begin in range(0, len(places), step):
                    together = columns_of_it[begin : begin + step]
                    values = np.empty((len(together), *bars.markets, rows))
                    _write(values, range(len(together)), together, part, first)
                    finished = finish(values)
                    for place, row in zip(places[begin : begin + step], finished, strict=True):
                        block[place] = row
        hold(block)


def _write(out: Matrix, places: Sequence[int], columns: Sequence[Computed], part: Bars, first: int) -> None:
    """Write the values of k columns from row `first` on into their places of `out`, (F, ..., rows)."""
    rows = out.shape[-1]
    for place, (warmup, compute) in zip(places, columns, strict=True):
        if warmup <= first:
            out[place] = compute(part)[..., -rows:]
        else:
            out[place, ..., : warmup - first] = np.nan
            if warmup < first + rows:
                out[place, ..., warmup - first :] = compute(part)[..., warmup - first - rows :]


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
def _by_reach(
    columns: tuple[Column, ...], *, split: bool, stacked: bool
) -> list[tuple[int, Placed, list[tuple[Finish, Placed]]]]:
    """The bars needed before a row, columns without a finish, and those of each; in two groups if `split`.

    Columns of one finish share what they are computed from, and stay together.
    """
    limit = _NEAR if split else max(column.warmup for column in columns)
    far = {column.finish for column in columns if column.finish is not None and column.warmup > limit}
    groups = []
    for near in (True, False):
        group = [
            (i, column)
            for i, column in enumerate(columns)
            if (column.warmup <= limit and column.finish not in far) == near
        ]
        if group:
            # One bar more than the longest warm-up, for columns that begin with a difference.
            reach = max(column.warmup for _, column in group) + 1
            finishes = dict.fromkeys(column.finish for _, column in group)
            placed = {
                finish: _placed([(i, column) for i, column in group if column.finish is finish], stacked=stacked)
                for finish in finishes
            }
            plain = placed.pop(None, ([], []))
            groups.append((reach, plain, [(finish, of_it) for finish, of_it in placed.items() if finish is not None]))
    return groups


def _placed(group: list[tuple[int, Column]], *, stacked: bool) -> Placed:
    computed: list[Computed] = [
        (column.warmup, partial(each_alone, column.compute) if stacked and column.takes_one_market else column.compute)
        for _, column in group
    ]
    return [i for i, _ in group], computed
