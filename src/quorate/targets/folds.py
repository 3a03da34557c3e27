"""Many trials of train and test on rows of many symbols, in time.

Every training label that touches the test span is purged: it would tell of bars the test is about. After a test span
an embargo keeps training rows out a while longer, since what happened in it still echoes in their features.

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
    """One trial.

    Attributes:
        train, test: int64 row numbers, ascending.
        groups: which groups of bar times are tested; a walk-forward fold is its own group.
        paths: for each of `groups`, the backtest path that its test rows belong to.
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
    """Train on a stretch of time, test on the next, step on by the length of the test.

    Args:
        time: (n,) int64 bar times in ms, in any order, repeated across symbols.
        span_end: (n,) int64 open time of the bar whose close each label reads last.
        train_ms: length of the training stretch; of the first one where anchored.
        test_ms: length of each test stretch.
        anchored: training always begins with the first bar and grows; else it rolls along.
        partial: keep a last test stretch that the rows do not fill; they seldom do, as the last bars have no label.

    Raises:
        TargetError: no rows, a length under 1, not enough time for one fold, or a training stretch without a row.
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
            remedy="Choose a longer span or shorter stretches.",
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
                found=f"no row with a whole label in the {train_ms} ms before {format_ms(start)}",
                expected="rows to train on",
                remedy="Choose a longer training stretch.",
            )
        yield Fold(np.flatnonzero(trained), np.flatnonzero(tested), (number,), (0,))


def combinatorial(
    time: IntArray, span_end: IntArray, *, groups: int, tests: int, embargo_ms: int | None = None
) -> Iterator[Fold]:
    """Cut the bar times into groups, and test on every choice of `tests` of them.

    Each group is tested comb(groups - 1, tests - 1) times: as many whole backtest paths come out, each made of one
    test of every group.

    Args:
        time: (n,) int64 bar times in ms, in any order, repeated across symbols.
        span_end: (n,) int64 open time of the bar whose close each label reads last.
        groups: parts of equal numbers of bar times, at least 2.
        tests: groups tested at once, at least 1 and fewer than `groups`.
        embargo_ms: time kept free after a test span's last label; None for the longest label's length.

    Raises:
        TargetError: no rows, numbers out of range, or fewer bar times than groups.
    """
    _check(time, span_end)
    times = np.unique(time)
    if not 1 <= tests < groups or groups > len(times):
        raise TargetError(
            "make combinatorial folds",
            found=f"{tests} of {groups} groups over {len(times)} bar times",
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
    """Backtest paths that `combinatorial` gives.

    >>> paths(6, 2)
    5
    """
    return comb(groups - 1, tests - 1)


def _apart(time: IntArray, span_end: IntArray, tested: BoolArray, embargo: int) -> BoolArray:
    """Whether a row's label ends before this test group, or begins after its last label and the embargo."""
    before: BoolArray = span_end < time[tested].min()
    after: BoolArray = time > span_end[tested].max() + embargo
    return before | after


def _room(time: IntArray, test_ms: int) -> int:
    """What a test stretch needs before the end of the rows, given that the last bar lasts as long as the shortest."""
    gaps = np.diff(np.unique(time))
    bar = int(gaps.min()) if len(gaps) else 1
    return test_ms - bar


def _check(time: IntArray, span_end: IntArray) -> None:
    if len(time) != len(span_end) or not len(time):
        raise TargetError("make folds", found=f"{len(time)} times and {len(span_end)} label spans", expected="rows")
