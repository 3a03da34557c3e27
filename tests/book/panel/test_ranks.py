"""Ranks across markets against pandas."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from quorate.book.panel.ranks import centred_ranks, ranks

ROWS = st.lists(st.sampled_from([np.nan, -1.0, 0.0, 0.5, 2.0, np.inf, -np.inf]), min_size=1, max_size=9)


@given(ROWS, st.data())
def test_equals_pandas(row, data):
    among = np.array([data.draw(st.lists(st.booleans(), min_size=len(row), max_size=len(row)))])
    x = np.array([row])
    counted = among & np.isfinite(x)
    rank, count = ranks(x, among)
    np.testing.assert_array_equal(rank, pd.DataFrame(np.where(counted, x, np.nan)).rank(axis=1))
    assert count[0] == counted.sum()


@given(ROWS)
def test_centred_ranks_sum_to_nothing_and_turn_with_the_sign(row):
    x = np.array([row])
    among = np.ones(x.shape, bool)
    rank = centred_ranks(x, among)
    assert abs(np.nansum(rank)) < 1e-12
    assert np.nanmax(np.abs(rank), initial=0.0) < 0.5
    np.testing.assert_allclose(centred_ranks(-x, among), -rank, atol=1e-15)
