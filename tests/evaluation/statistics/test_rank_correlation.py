"""Ranks and Spearman's correlation, against scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from quorate.evaluation.statistics.rank_correlation import average_ranks, spearman

SHORT = st.lists(st.integers(-5, 5), min_size=2, max_size=30)


@given(SHORT)
def test_ranks_are_those_of_scipy(values):
    assert average_ranks(np.array(values, np.float64)).tolist() == stats.rankdata(values).tolist()


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=2, max_size=30))
def test_the_correlation_is_that_of_scipy(pairs):
    a, b = np.array(pairs, np.float64).T
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        assert math.isnan(spearman(a, b))
    else:
        assert spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic, abs=1e-12)


def test_no_values_have_no_correlation():
    assert math.isnan(spearman(np.empty(0), np.empty(0)))
