"""The rows that members read: alone or with the bars before them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.core.errors import FeatureError
from quorate.features import Inputs, Sequences

MINUTE = 60_000


def made(rows: int = 12) -> Inputs:
    X = np.arange(2 * rows, dtype=np.float32).reshape(rows, 2)
    return Inputs(X, MINUTE * np.arange(rows), "1m")


def test_a_member_of_rows_reads_rows_and_a_member_of_windows_reads_windows() -> None:
    inputs = made()
    np.testing.assert_array_equal(inputs.at(np.array([3, 0]), 1), [[6, 7], [0, 1]])
    read = inputs.at(np.array([5, 11, 2]), 3)
    assert isinstance(read, Sequences)
    assert (len(read), read.shape, read.ndim, read.dtype) == (3, (3, 3, 2), 3, np.float32)
    np.testing.assert_array_equal(read[np.array([2])], [inputs.X[0:3]])
    np.testing.assert_array_equal(read[1:], [inputs.X[9:12], inputs.X[0:3]])
    np.testing.assert_array_equal(np.asarray(read), np.stack([inputs.X[3:6], inputs.X[9:12], inputs.X[0:3]]))
    np.testing.assert_array_equal(read.select(np.array([0, 2]))[:], read[np.array([0, 2])])


def test_a_batch_is_a_copy() -> None:
    inputs = made()
    batch = inputs.at(np.array([4]), 2)[:]
    batch[:] = -1
    assert inputs.X.min() == 0


def test_a_row_without_its_bars_is_not_whole_and_cannot_be_read() -> None:
    inputs = made()
    inputs.X[4, 0] = np.nan
    assert np.flatnonzero(~inputs.whole(1)).tolist() == [4]
    assert np.flatnonzero(inputs.whole(3)).tolist() == [2, 3, 7, 8, 9, 10, 11]
    for row, window in ((4, 1), (1, 3), (6, 3), (12, 1), (-1, 1)):
        with pytest.raises(FeatureError):
            inputs.at(np.array([row]), window)


@pytest.mark.parametrize(
    ("unknown", "times", "window", "words"),
    [
        ((), (0, 1, 2, 3), 6, "known on 4 of the 6 bars"),
        ((0, 1), (0, 1, 2, 3), 3, "known on 2 of the 3 bars"),
        ((3,), (0, 1, 2, 3), 1, "known on 0 of the 1 bars"),
        ((), (0, 1, 3, 4), 3, "a bar is missing among the last 3"),
    ],
)
def test_the_reason_of_a_missing_newest_bar_is_given(
    unknown: tuple[int, ...], times: tuple[int, ...], window: int, words: str
) -> None:
    X = np.zeros((4, 2), np.float32)
    X[list(unknown), 1] = np.nan
    inputs = Inputs(X, MINUTE * np.array(times), "1m")
    assert not inputs.whole(window)[-1]
    assert words in inputs.lack(window)


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(0, 9), st.integers(1, 6), st.booleans())
def test_the_newest_bar_is_read_as_any_other(seed: int, rows: int, window: int, several: bool) -> None:
    random = np.random.default_rng(seed)
    X = np.where(random.random((rows, 2)) < 0.05, np.nan, random.normal(size=(rows, 2))).astype(np.float32)
    time = MINUTE * np.cumsum(random.choice([1, 1, 1, 1, 2], rows))
    symbol = np.sort(random.integers(0, 2, rows)) if several else None
    inputs = Inputs(X, time, "1m", symbol)
    whole = rows > 0 and bool(inputs.whole(window)[-1])
    if several:  # a longer window may be known already
        inputs.newest(window + 2)
    newest = inputs.newest(window)
    assert (newest is not None) == whole
    if newest is not None:
        np.testing.assert_array_equal(newest, np.asarray(inputs.at(np.array([rows - 1]), window)))
