"""Folds of the training part, by a table and by what must hold for any."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.errors import TargetError
from quorate.core.settings import StackSettings
from quorate.ensemble.stack.expanding_folds import embargo_ms, stack_folds


def test_a_table_of_two_folds():
    # 20 bars whose labels reach 1 bar ahead, an embargo of 1: half to begin with, then two stretches of 5 bars, of
    # which the first 3 are stopped by. A label must end more than a bar before what comes after it begins.
    time = np.arange(20)
    one, two = stack_folds(time, time + 1, time, StackSettings(folds=2, first=0.5, stop=0.6), 1)
    assert one.fit.tolist() == [0, 1, 2, 3, 4, 5, 6, 7]  # 7 + 1 + 1 < 10
    assert one.stop.tolist() == [10]  # 10 + 1 + 1 < 13
    assert one.held.tolist() == [13, 14]
    assert two.fit.tolist() == list(range(13))  # 12 + 1 + 1 < 15
    assert two.stop.tolist() == [15]
    assert two.held.tolist() == [18, 19]


def names(fold):
    return {"fit": fold.fit, "stop": fold.stop, "held": fold.held}


@given(
    st.integers(60, 300),
    st.integers(1, 6),
    st.integers(0, 6),
    st.integers(2, 5),
    st.integers(1, 3),
    st.integers(0, 1_000),
)
def test_what_is_held_back_was_never_seen(bars, horizon, embargo, folds, symbols, seed):
    random = np.random.default_rng(seed)
    time = np.tile(np.arange(bars), symbols)
    # Some rows are missing, and rows of the whole that are no training rows lie around.
    rows = np.sort(random.choice(len(time), size=int(0.9 * len(time)), replace=False))
    span_end = time + horizon
    try:
        made = stack_folds(time, span_end, rows, StackSettings(folds=folds, first=0.3, stop=0.5), embargo)
    except TargetError:
        assert bars / folds < 5 * (horizon + embargo + 2)
        return
    for fold in made:
        for part in names(fold).values():
            assert np.isin(part, rows).all()
        assert (span_end[fold.fit] + embargo < time[fold.stop].min()).all()
        assert (span_end[fold.stop] + embargo < time[fold.held].min()).all()
        assert (span_end[fold.fit] + embargo < time[fold.held].min()).all()
    held, stop = (np.concatenate([names(fold)[part] for fold in made]) for part in ("held", "stop"))
    assert len(np.unique(held)) == len(held)
    assert not np.intersect1d(held, stop).size
    for earlier, later in pairwise(made):
        assert time[earlier.held].max() < time[later.held].min()
        assert np.isin(earlier.fit, later.fit).all()


def test_too_short_a_span_is_refused_by_name():
    time = np.arange(20)
    with pytest.raises(TargetError, match=r"stack\.folds"):
        stack_folds(time, time + 4, time, StackSettings(folds=10), 4)


@pytest.mark.parametrize(("bars", "found"), [(-1, 4 * 7), (0, 0), (3, 21)])
def test_the_embargo_is_the_horizon_unless_it_is_set(bars, found):
    assert embargo_ms(bars, 4, 7) == found
