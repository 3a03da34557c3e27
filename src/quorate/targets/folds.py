"""Walk-forward and combinatorial folds over rows of many symbols.

Training rows whose label overlaps the test span are purged, since the label depends on bars of the test. Rows within an
embargo after the test span are left out too, since their features still depend on it.

Reference: López de Prado (2018), Advances in Financial Machine Learning, chapters 7 and 12.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from quorate.core.clock import format_ms
from quorate.core.errors import TargetError
from quorate.core.types import BoolArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """Training and test rows.

    Attributes:
        train, test: int64 row numbers, ascending.
        groups: the tested groups of bar times; a walk-forward fold is one group.
        paths: for each of `groups`, the backtest path of its test rows.
    """

    train: IntArray
    test: IntArray
    groups: tuple[int, ...]
    paths: tuple[int, ...]


def walk_forward(
    time: IntArray,
    span_end: IntArray,
    *,
    train_ms: int,
    test_ms: int,
    anchored: bool = False,
    partial: bool = True,
) -> Iterator[Fold]:
    """Yield folds that train on a span of time and test on the next, each one test span later than the last.

    Args:
        time: (n,) int64 bar times in ms, in any order, repeated across symbols.
        span_end: (n,) int64, open time in ms of the last bar whose close each label uses.
        train_ms: length of the training span; of the first one if anchored.
        test_ms: length of each test span.
        anchored: all training spans begin with the first bar; otherwise the span rolls.
        partial: keep a last test span that the rows do not fill, which is usual, as the last bars have no label.

    Raises:
        TargetError: no rows, a length below 1, a span too short for one fold, or a training span without rows.
    """
    _check(time, span_end)
    if train_ms < 1 or test_ms < 1:
        raise TargetError("walk forward", found=f"train {train_ms} ms, test {test_ms} ms", expected="lengths above 0")
    begin, end = int(time.min()), int(time.max()) + 1
    starts = range(begin + train_ms, end if partial else end - _room(time, test_ms), test_ms)
    if not len(starts):
        raise TargetError(
            "walk forward",
            found=f"rows over {end - begin} ms",
            expected=f"at least {train_ms} ms to train and {test_ms} ms to test",
            remedy="Choose a longer span, or shorter `train_ms` and `test_ms`.",
        )
    for number, start in enumerate(starts):
        tested = (time >= start) & (time < start + test_ms)
        trained = (time < start) & (span_end < start)
        if not anchored:
            trained &= time >= start - train_ms
        if not tested.any():
            continue
        if not trained.any():
            raise TargetError(
                "walk forward",
                found=f"no row with a complete label in the {train_ms} ms before {format_ms(start)}",
                expected="rows to train on",
                remedy="Choose a longer `train_ms`.",
            )
        yield Fold(np.flatnonzero(trained), np.flatnonzero(tested), (number,), (0,))


def combinatorial(
    time: IntArray, span_end: IntArray, *, groups: int, tests: int, embargo_ms: int | None = None
) -> Iterator[Fold]:
    """Yield combinatorial purged folds: bar times in groups, tested in every combination of `tests` of them.

    Each group is tested comb(groups - 1, tests - 1) times, so that there are as many backtest paths, each with one test
    of every group.

    Args:
        time: (n,) int64 bar times in ms, in any order, repeated across symbols.
        span_end: (n,) int64, open time in ms of the last bar whose close each label uses.
        groups: number of groups, of equal numbers of bar times, at least 2.
        tests: groups tested per fold, at least 1 and fewer than `groups`.
        embargo_ms: time left out after the last label of a test span; None for the length of the longest label.

    Raises:
        TargetError: no rows, numbers out of range, or fewer bar times than groups.
    """
    _check(time, span_end)
    times = np.unique(time)
    if not 1 <= tests < groups or groups > len(times):
        raise TargetError(
            "make combinatorial folds",
            found=f"`tests` {tests} of `groups` {groups} over {len(times)} bar times",
            expected="fewer tests than groups, and no more groups than bar times",
        )
    embargo = int((span_end - time).max()) if embargo_ms is None else embargo_ms
    firsts = [len(times) * number // groups for number in range(groups)]
    group = np.searchsorted(times[firsts], time, side="right") - 1
    tested_before = [0] * groups
    for chosen in combinations(range(groups), tests):
        tested = np.isin(group, chosen)
        trained = ~tested
        for number in chosen:
            trained &= _apart(time, span_end, group == number, embargo)
        paths = tuple(tested_before[number] for number in chosen)
        for number in chosen:
            tested_before[number] += 1
        yield Fold(np.flatnonzero(trained), np.flatnonzero(tested), chosen, paths)


def paths(groups: int, tests: int) -> int:
    """Number of backtest paths of `combinatorial`.

    >>> paths(6, 2)
    5
    """
    return comb(groups - 1, tests - 1)


def _apart(time: IntArray, span_end: IntArray, tested: BoolArray, embargo: int) -> BoolArray:
    """Whether each row's label ends before a test group, or begins after its last label and the embargo."""
    before: BoolArray = span_end < time[tested].min()
    after: BoolArray = time > span_end[tested].max() + embargo
    return before | after


def _room(time: IntArray, test_ms: int) -> int:
    """Length that a test span needs before the end of the rows; the last bar is as long as the shortest one."""
    gaps = np.diff(np.unique(time))
    bar = int(gaps.min()) if len(gaps) else 1
    return test_ms - bar


def _check(time: IntArray, span_end: IntArray) -> None:
    if len(time) != len(span_end) or not len(time):
        raise TargetError("make folds", found=f"{len(time)} times and {len(span_end)} label spans", expected="rows")
