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
@given(SERIES, BARS)
def test_moments_are_of_each_window(x, bars):
    got = np.array(rolling.moments(x).over(bars))
    assert got.shape == (2, max(0, len(x) - bars + 1))
    for place, window in enumerate(windows_of(x, bars)):
        expected = [window.mean(), ((window - window.mean()) ** 2).sum()]
        np.testing.assert_allclose(got[:, place], expected, rtol=1e-9, atol=1e-3)


@settings(max_examples=60)
@given(SERIES, BARS)
def test_path_moments_are_of_the_path_of_each_window(x, bars):
    got = np.array(rolling.path_moments(x).over(bars))
    for place, window in enumerate(windows_of(x, bars)):
        path = np.cumsum(window)
        expected = [path.mean(), ((path - path.mean()) ** 2).sum(), path[-1]]
        np.testing.assert_allclose(got[:, place], expected, rtol=1e-9, atol=1e-2)


@pytest.mark.parametrize("level", [0.1, 1 / 3, 1e9 + 0.7, 3e-9])
@pytest.mark.parametrize("bars", [2, 7, 20, 23])
def test_a_flat_window_has_exactly_no_deviation(level, bars):
    flat = np.full(50, level)
    assert (rolling.moments(flat).over(bars)[1] == 0).all()
    assert (rolling.path_moments(np.zeros(50)).over(bars)[1] == 0).all()


def test_a_huge_value_leaves_no_error_in_later_windows():
    x = np.random.default_rng(0).normal(0, 1, 200)
    shocked = x.copy()
    shocked[60] = 1e30
    for pyramid in (rolling.sums, rolling.moments, rolling.path_moments, lambda s: rolling.decayed_sums(s, 0.99)):
        calm, after = (np.array(pyramid(series).over(20)) for series in (x, shocked))
        np.testing.assert_array_equal(calm[..., 61:], after[..., 61:])
        assert (calm[..., 60 - 19 : 61] != after[..., 60 - 19 : 61]).any()


def test_a_window_does_not_depend_on_where_the_series_begins():
    x = np.random.default_rng(1).normal(0, 1, 300)
    for begin in (1, 7, 100):
        np.testing.assert_array_equal(rolling.sums(x[begin:]).over(37), rolling.sums(x).over(37)[begin:])
        for made in (rolling.moments, rolling.path_moments):
            np.testing.assert_array_equal(made(x[begin:]).over(37), np.array(made(x).over(37))[:, begin:])


@pytest.mark.parametrize("length", [0, 1, 2, 19])
def test_too_short_a_series_has_no_window(length):
    x = np.ones(length)
    assert rolling.sums(x).over(20).shape == (0,)
    assert np.shape(rolling.moments(x).over(20)) == (2, 0)
    assert np.shape(rolling.path_moments(x).over(20)) == (3, 0)


@pytest.mark.parametrize("several", [(1,), (3,), (2, 3)])
@pytest.mark.parametrize("bars", [1, 2, 13, 20, 90, 91])
def test_several_series_have_the_windows_of_each(bars, several):
    x = np.random.default_rng(2).normal(50, 1, (*several, 90))
    for made in (rolling.sums, rolling.moments, rolling.path_moments, lambda s: rolling.decayed_sums(s, 0.9)):
        each = [np.array(made(row).over(bars)) for row in x.reshape(-1, 90)]
        found = np.array(made(x).over(bars))
        np.testing.assert_array_equal(found.reshape(*each[0].shape[:-1], len(each), -1), np.stack(each, axis=-2))


@pytest.mark.parametrize("bars", [1, 3, 20])
def test_means_are_sums_divided(bars):
    x = np.random.default_rng(2).normal(50, 1, (2, 60))
    np.testing.assert_array_equal(rolling.sums(x).mean(bars), rolling.sums(x).over(bars) / bars)
