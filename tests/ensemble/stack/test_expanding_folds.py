"""Expanding folds, by an example and by properties."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.errors import TargetError
from quorate.core.settings import StackSettings
from quorate.ensemble.stack.expanding_folds import embargo_ms, stack_folds


def test_a_table_of_two_folds():
    # 20 bars with labels of 1 bar and an embargo of 1: the first half, then two test spans of 5 bars, of which the
    # first 3 are for early stopping. A label must end more than one bar before the next part.
    time = np.arange(20)
    one, two = stack_folds(time, time + 1, time, StackSettings(folds=2, first=0.5, stop=0.6), 1)
    assert one.fit.tolist() == [0, 1, 2, 3, 4, 5, 6, 7]  # 7 + 1 + 1 < 10
    assert one.stop.tolist() == [10]  # 10 + 1 + 1 < 13
    assert one.held_out.tolist() == [13, 14]
    assert two.fit.tolist() == list(range(13))  # 12 + 1 + 1 < 15
    assert two.stop.tolist() == [15]
    assert two.held_out.tolist() == [18, 19]


def parts(fold):
    return {"fit": fold.fit, "stop": fold.stop, "held_out": fold.held_out}


@given(
    st.integers(60, 300),
    st.integers(1, 6),
    st.integers(0, 6),
    st.integers(2, 5),
    st.integers(1, 3),
    st.integers(0, 1_000),
)
def test_held_out_rows_are_later_than_all_labels_of_the_fit(bars, horizon, embargo, folds, symbols, seed):
    random = np.random.default_rng(seed)
    time = np.tile(np.arange(bars), symbols)
    # Some rows are missing or do not belong to the training part.
    rows = np.sort(random.choice(len(time), size=int(0.9 * len(time)), replace=False))
    span_end = time + horizon
    try:
        made = stack_folds(time, span_end, rows, StackSettings(folds=folds, first=0.3, stop=0.5), embargo)
    except TargetError:
        assert bars / folds < 5 * (horizon + embargo + 2)
        return
    for fold in made:
        for part in parts(fold).values():
            assert np.isin(part, rows).all()
        assert (span_end[fold.fit] + embargo < time[fold.stop].min()).all()
        assert (span_end[fold.stop] + embargo < time[fold.held_out].min()).all()
        assert (span_end[fold.fit] + embargo < time[fold.held_out].min()).all()
    held, stop = (np.concatenate([parts(fold)[part] for fold in made]) for part in ("held_out", "stop"))
    assert len(np.unique(held)) == len(held)
    assert not np.intersect1d(held, stop).size
    for earlier, later in pairwise(made):
        assert time[earlier.held_out].max() < time[later.held_out].min()
        assert np.isin(earlier.fit, later.fit).all()


def test_too_short_a_span_is_an_error_that_names_the_setting():
    time = np.arange(20)
    with pytest.raises(TargetError, match=r"stack\.folds"):
        stack_folds(time, time + 4, time, StackSettings(folds=10), 4)


@pytest.mark.parametrize(("bars", "found"), [(-1, 4 * 7), (0, 0), (3, 21)])
def test_the_embargo_defaults_to_the_horizon(bars, found):
    assert embargo_ms(bars, 4, 7) == found
