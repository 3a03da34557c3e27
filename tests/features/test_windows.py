from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.core.errors import FeatureError
from quorate.features import Windows

HOUR = 3_600_000


@st.composite
def rows(draw):
    """Rows of up to three symbols with gaps and unknown features, and a window length."""
    symbols = []
    for symbol in range(draw(st.integers(1, 3))):
        steps = draw(st.lists(st.sampled_from([1, 1, 1, 2, 5]), min_size=0, max_size=25))
        symbols += [(symbol, HOUR * int(hour)) for hour in np.cumsum([draw(st.integers(0, 9)), *steps])]
    symbol = np.array([s for s, _ in symbols], np.int16)
    time = np.array([t for _, t in symbols], np.int64)
    X = np.arange(2 * len(time), dtype=np.float32).reshape(-1, 2)
    for row in draw(st.lists(st.integers(0, len(time) - 1), max_size=3)):
        X[row, 1] = np.nan
    return X, time, symbol, draw(st.integers(1, 8))


@settings(max_examples=150)
@given(rows())
def test_a_window_is_whole_when_its_bars_follow_each_other(case):
    X, time, symbol, length = case
    windows = Windows(X, time, length, "1h", symbol)
    for row in range(len(X)):
        first = row - length + 1
        expected = (
            first >= 0
            and all(symbol[i] == symbol[row] for i in range(first, row + 1))
            and all(time[i] == time[row] - HOUR * (row - i) for i in range(first, row + 1))
            and not np.isnan(X[first : row + 1]).any()
        )
        assert windows.whole[row] == expected
        if expected:
            np.testing.assert_array_equal(windows[row], X[first : row + 1])
        else:
            with pytest.raises(FeatureError, match=f"row {row}"):
                windows[row]
    whole = np.flatnonzero(windows.whole)
    batch = windows.gather(whole)
    assert batch.shape == (len(whole), length, 2)
    for window, row in zip(batch, whole, strict=True):
        np.testing.assert_array_equal(window, X[row - length + 1 : row + 1])


def test_one_symbol_after_another_is_not_a_window():
    # The second symbol's first bar opens an hour after the first one's last: only the symbol tells them apart.
    X = np.ones((6, 1), np.float32)
    time = HOUR * np.arange(6)
    symbol = np.array([0, 0, 0, 1, 1, 1])
    assert Windows(X, time, 3, "1h", symbol).whole.tolist() == [False, False, True, False, False, True]
    assert Windows(X, time, 3, "1h").whole.tolist() == [False, False, True, True, True, True]


def test_views_copy_nothing():
    X = np.arange(20, dtype=np.float32).reshape(10, 2)
    windows = Windows(X, HOUR * np.arange(10), 4, "1h")
    assert np.shares_memory(windows[5], X)
    assert np.shares_memory(windows.view(), X)
    assert windows.view().shape == (7, 4, 2)
    X[5] = -1
    assert (windows[5][-1] == -1).all()
    assert (windows.view()[2][-1] == -1).all()


def test_a_history_shorter_than_a_window_has_none():
    windows = Windows(np.ones((3, 2), np.float32), HOUR * np.arange(3), 4, "1h")
    assert not windows.whole.any()
    assert windows.view().shape == (0, 4, 2)
    assert windows.gather(np.array([], np.int64)).shape == (0, 4, 2)


@pytest.mark.parametrize("row", [-1, 0, 3, 10])
def test_an_incomplete_window_is_refused(row):
    time = HOUR * np.array([0, 1, 2, 4, 5, 6])
    windows = Windows(np.ones((6, 2), np.float32), time, 2, "1h")
    with pytest.raises(FeatureError, match="ends at row"):
        windows[row]
    with pytest.raises(FeatureError, match="ends at row"):
        windows.gather(np.array([1, row]))


@pytest.mark.parametrize(("length", "times", "symbols"), [(0, 5, None), (-2, 5, None), (2, 4, None), (2, 5, 3)])
def test_arrays_that_do_not_belong_together_are_refused(length, times, symbols):
    with pytest.raises(FeatureError, match="make windows"):
        Windows(
            np.ones((5, 2), np.float32),
            HOUR * np.arange(times),
            length,
            "1h",
            None if symbols is None else np.zeros(symbols, np.int16),
        )


def test_chosen_windows_have_newest_rows_and_a_digest():
    random = np.random.default_rng(0)
    X = random.normal(size=(40, 3)).astype(np.float32)
    rows = random.permutation(np.arange(4, 40))[:20]

    def chosen(X=X, rows=rows, length=5):
        return Windows(X, HOUR * np.arange(len(X)), length, "1h").at(rows)

    np.testing.assert_array_equal(chosen().newest, X[rows])
    assert chosen()[3:9].flags.c_contiguous
    assert chosen().digest() == chosen(X.copy()).digest()
    last = X.copy()
    last[-1, -1] += 1
    first = X.copy()
    first[0, 0] += 1
    others = [chosen(last), chosen(first), chosen(rows=rows[::-1]), chosen(rows=rows[:-1]), chosen(length=4)]
    assert len({chosen().digest(), *(other.digest() for other in others)}) == 6
