from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from quorate.features import rolling

SERIES = arrays(np.float64, st.integers(1, 90), elements=st.floats(-1e6, 1e6, allow_subnormal=False))
BARS = st.integers(1, 40)


def windows_of(x, bars):
    return [x[end - bars : end] for end in range(bars, len(x) + 1)]


@settings(max_examples=60)
@given(SERIES, BARS)
def test_sums_are_of_each_window(x, bars):
    expected = [window.sum() for window in windows_of(x, bars)]
    np.testing.assert_allclose(rolling.sums(x).over(bars), expected, rtol=1e-12, atol=1e-6)


@settings(max_examples=60)
@given(SERIES, BARS)
def test_decayed_sums_weigh_the_newest_most(x, bars):
    expected = [sum(0.9**age * value for age, value in enumerate(window[::-1])) for window in windows_of(x, bars)]
    np.testing.assert_allclose(rolling.decayed_sums(x, 0.9).over(bars), expected, rtol=1e-12, atol=1e-6)


@settings(max_examples=60)
@given(SERIES, BARS, st.integers(0, 2**32 - 1))
def test_comoments_are_of_each_window(x, bars, seed):
    random = np.random.default_rng(seed)
    y, steps = random.normal(5, 2, len(x)), random.normal(0, 1, len(x))
    got = rolling.comoments(x, y, steps).over(bars)
    assert got.shape == (8, max(0, len(x) - bars + 1))
    for place, (a, b, walked) in enumerate(
        zip(windows_of(x, bars), windows_of(y, bars), windows_of(steps, bars), strict=True)
    ):
        path = np.cumsum(walked)
        expected = [a.mean(), b.mean(), path.mean()]
        expected += [((s - s.mean()) ** 2).sum() for s in (a, b, path)]
        expected += [((a - a.mean()) * (b - b.mean())).sum(), path[-1]]
        np.testing.assert_allclose(got[:, place], expected, rtol=1e-9, atol=1e-3)


@pytest.mark.parametrize("level", [0.1, 1 / 3, 1e9 + 0.7, 3e-9])
@pytest.mark.parametrize("bars", [2, 7, 20, 23])
def test_a_flat_window_deviates_by_exactly_nothing(level, bars):
    flat = np.full(50, level)
    moments = rolling.comoments(flat, flat, np.zeros(50)).over(bars)
    assert (moments[3:7] == 0).all()


def test_a_huge_value_leaves_nothing_behind():
    x = np.random.default_rng(0).normal(0, 1, 200)
    shocked = x.copy()
    shocked[60] = 1e30
    for pyramid in (rolling.sums, lambda s: rolling.comoments(s, s, s), lambda s: rolling.decayed_sums(s, 0.99)):
        calm, after = pyramid(x).over(20), pyramid(shocked).over(20)
        np.testing.assert_array_equal(calm[..., 61:], after[..., 61:])
        assert (calm[..., 60 - 19 : 61] != after[..., 60 - 19 : 61]).any()


def test_a_window_does_not_know_where_the_series_begins():
    x = np.random.default_rng(1).normal(0, 1, 300)
    for begin in (1, 7, 100):
        np.testing.assert_array_equal(rolling.sums(x[begin:]).over(37), rolling.sums(x).over(37)[begin:])
        np.testing.assert_array_equal(
            rolling.comoments(x[begin:], x[begin:], x[begin:]).over(37), rolling.comoments(x, x, x).over(37)[:, begin:]
        )


@pytest.mark.parametrize("length", [0, 1, 2, 19])
def test_too_short_a_series_has_no_window(length):
    x = np.ones(length)
    assert rolling.sums(x).over(20).shape == (0,)
    assert rolling.comoments(x, x, x).over(20).shape == (8, 0)
