"""Folds as tables of dates: a row is (first to last training day, tested days)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.core.clock import DAY_MS, format_ms, parse_ms
from quorate.core.errors import TargetError
from quorate.targets import combinatorial, walk_forward
from quorate.targets.folds import paths

START = parse_ms("2025-03-01")


def days_of(time, rows):
    """Days of the month as runs: '1-4 9-12'."""
    days = sorted({int(format_ms(int(t))[8:10]) for t in time[rows]})
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return " ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)


@pytest.fixture
def march():
    """Daily rows of 20 days for one symbol, and from the 6th on for a second; labels read two days ahead."""
    whole = START + DAY_MS * np.arange(20)
    time = np.concatenate([whole, whole[5:]])
    return time, time + 2 * DAY_MS


def table(time, folds):
    return [(days_of(time, fold.train), days_of(time, fold.test)) for fold in folds]


def test_rolling(march):
    folds = walk_forward(*march, train_ms=8 * DAY_MS, test_ms=4 * DAY_MS)
    assert table(march[0], folds) == [
        ("1-6", "9-12"),
        ("5-10", "13-16"),
        ("9-14", "17-20"),
    ]


def test_anchored(march):
    folds = walk_forward(*march, train_ms=8 * DAY_MS, test_ms=4 * DAY_MS, anchored=True)
    assert table(march[0], folds) == [
        ("1-6", "9-12"),
        ("1-10", "13-16"),
        ("1-14", "17-20"),
    ]


def test_a_last_stretch_that_is_not_filled_is_kept_or_not(march):
    time, span_end = march
    options = {"train_ms": 8 * DAY_MS, "test_ms": 5 * DAY_MS}
    assert table(time, walk_forward(time, span_end, **options)) == [
        ("1-6", "9-13"),
        ("6-11", "14-18"),
        ("11-16", "19-20"),
    ]
    assert [tested for _, tested in table(time, walk_forward(time, span_end, **options, partial=False))] == [
        "9-13",
        "14-18",
    ]
    exact = walk_forward(time, span_end, train_ms=8 * DAY_MS, test_ms=4 * DAY_MS, partial=False)
    assert [tested for _, tested in table(time, exact)] == ["9-12", "13-16", "17-20"]


def test_every_symbol_is_cut_at_the_same_moment(march):
    time, span_end = march
    (first, *_) = walk_forward(time, span_end, train_ms=8 * DAY_MS, test_ms=4 * DAY_MS)
    second_symbol = first.train[first.train >= 20]
    assert days_of(time, second_symbol) == "6"
    assert len(first.test) == 8


def test_combinatorial(march):
    # Five groups of four days. Purged before a test: the two days whose labels reach it. After it: the two days of
    # its last label, then an embargo of two more.
    assert table(march[0], combinatorial(*march, groups=5, tests=2)) == [
        ("13-20", "1-8"),
        ("17-20", "1-4 9-12"),
        ("9-10", "1-4 13-16"),
        ("9-14", "1-4 17-20"),
        ("1-2 17-20", "5-12"),
        ("1-2", "5-8 13-16"),
        ("1-2 13-14", "5-8 17-20"),
        ("1-6", "9-16"),
        ("1-6", "9-12 17-20"),
        ("1-10", "13-20"),
    ]


def test_combinatorial_without_embargo(march):
    folds = combinatorial(*march, groups=5, tests=1, embargo_ms=0)
    assert table(march[0], folds) == [
        ("7-20", "1-4"),
        ("1-2 11-20", "5-8"),
        ("1-6 15-20", "9-12"),
        ("1-10 19-20", "13-16"),
        ("1-14", "17-20"),
    ]


def test_paths_are_whole_backtests(march):
    folds = list(combinatorial(*march, groups=6, tests=3))
    assert len(folds) == 20
    assert paths(6, 3) == 10
    covered = {(path, group) for fold in folds for group, path in zip(fold.groups, fold.paths, strict=True)}
    assert covered == {(path, group) for path in range(10) for group in range(6)}


spans = st.lists(
    st.tuples(st.integers(0, 90), st.integers(0, 6)), min_size=40, max_size=150, unique_by=lambda row: row[0]
)


@settings(max_examples=60)
@given(spans, st.integers(0, 8), st.sampled_from([(4, 1), (5, 2), (6, 3)]))
def test_no_training_label_touches_what_is_tested(rows, embargo, shape):
    time = np.array([t for t, _ in rows])
    span_end = time + np.array([length for _, length in rows])
    groups, tests = shape
    counts = np.zeros(len(time), int)
    for fold in combinatorial(time, span_end, groups=groups, tests=tests, embargo_ms=embargo):
        assert not set(fold.train) & set(fold.test)
        counts[fold.test] += 1
        # Neighbouring groups are one test run: split the tested rows where a group between is not tested.
        for run in _runs(time, fold, groups):
            for row in fold.train:
                before = span_end[row] < time[run].min()
                after = time[row] > span_end[run].max() + embargo
                assert before or after
    assert (counts == paths(groups, tests)).all()


def _runs(time, fold, groups):
    times = np.unique(time)
    bounds = [len(times) * number // groups for number in range(groups + 1)]
    group = {int(t): number for number, (a, b) in enumerate(pairwise(bounds)) for t in times[a:b]}
    runs = [[fold.groups[0]]]
    for number in fold.groups[1:]:
        if number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return [np.array([row for row in fold.test if group[int(time[row])] in run]) for run in runs]


@settings(max_examples=60)
@given(spans, st.integers(10, 30), st.integers(3, 20), st.booleans())
def test_walking_forward_never_trains_on_what_comes(rows, train, test, anchored):
    time = np.array([t for t, _ in rows])
    span_end = time + np.array([length for _, length in rows])
    try:
        folds = list(walk_forward(time, span_end, train_ms=train, test_ms=test, anchored=anchored))
    except TargetError as error:
        assert "label" in error.found or "rows over" in error.found  # noqa: PT017
        return
    for fold in folds:
        assert span_end[fold.train].max() < time[fold.test].min()
        if not anchored:
            assert time[fold.train].min() >= time.min() + train + test * fold.groups[0] - train
    tested = np.concatenate([fold.test for fold in folds])
    assert len(set(tested)) == len(tested)
    assert set(tested) == set(np.flatnonzero(time >= time.min() + train))


@pytest.mark.parametrize(
    "options",
    [
        {"train_ms": 0, "test_ms": 5},
        {"train_ms": 5, "test_ms": 0},
        {"train_ms": 100 * DAY_MS, "test_ms": DAY_MS},
        {"train_ms": DAY_MS, "test_ms": DAY_MS},  # every label of the training day reaches the test
    ],
)
def test_impossible_walks_are_refused(march, options):
    with pytest.raises(TargetError, match="walk forward"):
        list(walk_forward(*march, **options))


@pytest.mark.parametrize(("groups", "tests"), [(1, 1), (5, 5), (5, 0), (21, 2)])
def test_impossible_groups_are_refused(march, groups, tests):
    with pytest.raises(TargetError, match="combinatorial"):
        list(combinatorial(*march, groups=groups, tests=tests))


def test_no_rows_make_no_folds():
    nothing = np.array([], np.int64)
    with pytest.raises(TargetError, match="0 times"):
        list(walk_forward(nothing, nothing, train_ms=1, test_ms=1))
    with pytest.raises(TargetError, match="0 times"):
        list(combinatorial(nothing, nothing, groups=2, tests=1))
