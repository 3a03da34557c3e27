"""Gaps of funding: worked examples, and every hole of a regular market."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.clock import HOUR_MS
from quorate.market.quality.funding_gaps import funding_gaps, funding_intervals

DAY = 24


def gaps(*hours):
    return (funding_gaps(np.array(hours, dtype=np.int64) * HOUR_MS) / HOUR_MS).tolist()


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ((), []),
        ((0,), []),
        ((0, 8), []),
        ((0, 1, 2, 3, 4), []),
        # Seven hourly settlements missing: shorter than eight hours.
        ((0, 1, 2, 10, 11, 12), [[3, 10]]),
        # Holes next to each other.
        ((0, 1, 2, 10, 18, 19, 20, 21), [[3, 10], [11, 18]]),
        # One settlement of an eight-hour market.
        ((0, 8, 16, 32, 40, 48), [[24, 32]]),
        # Changes of the interval, also with the odd distance of the day of the change.
        ((0, 8, 16, 24, 28, 32, 36), []),
        ((0, 4, 8, 12, 20, 28, 36), []),
        ((0, 1, 2, 3, 8, 16, 24, 32), []),
        # A hole at a change is longer than both.
        ((0, 8, 16, 32, 36, 40, 44), [[20, 32]]),
        # Settled once a day: nothing is missing.
        ((0, 24, 48, 72, 96), []),
        # At the ends one side decides.
        ((0, 16, 24, 32), [[8, 16]]),
        ((0, 8, 16, 32), [[24, 32]]),
    ],
)
def test_worked_examples(hours, expected):
    assert gaps(*hours) == expected


def test_stamps_a_little_late_are_no_gap():
    time = np.arange(20) * 8 * HOUR_MS
    time[10] += 47_000
    assert len(funding_gaps(time)) == 0


@given(
    st.sampled_from([1, 2, 4, 8, 24]),
    st.integers(12, 60),
    st.data(),
)
def test_every_hole_of_a_regular_market_is_found(interval, count, data):
    """Holes of any length that leave three settlements' distance between them are all named, exactly."""
    time = np.arange(count, dtype=np.int64) * interval
    gone = np.zeros(count, dtype=bool)
    row = 4
    expected = []
    while row < count - 8:
        length = data.draw(st.integers(1, 4))
        gone[row : row + length] = True
        expected.append([row * interval, (row + length) * interval])
        row += length + data.draw(st.integers(4, 8))
    assert gaps(*time[~gone]) == expected


def test_the_interval_at_both_ends():
    """How long before the first settlement, and after the last one, none can be missing."""
    time = np.array([0, 8, 16, 24, 25, 26, 27, 28]) * HOUR_MS
    assert (funding_intervals(time)[[0, -1]] / HOUR_MS).tolist() == [8, 1]
    assert funding_intervals(time[:1]).tolist() == [0]
    assert (funding_intervals(time[:2]) / HOUR_MS).tolist() == [8, 8]
