"""Streams of days drawn in blocks, and limits of whole years."""

import numpy as np
import pytest
from scipy import stats

from quorate.evaluation.statistics.stationary_streams import (
    YEAR_DAYS,
    StreamPlan,
    drawn_days,
    stationary_years,
    upper_limits,
    window_sums,
)

PLAN = StreamPlan(window_days=5, block_days=5, resamples=100, seed=1)


def regimes(generator, days, length):
    """Days in regimes: all days of one have the same mean."""
    return np.repeat(generator.standard_normal(-(-days // length)), length)[:days] + generator.standard_normal(days)


def shift(known, windows):
    """(looks, 1) distance of a window's mean from that of the known days."""
    return np.abs(windows / 5 - known.mean(axis=0))[:, None]


def test_window_sums_are_those_of_a_loop():
    values = np.random.default_rng(1).standard_normal((9, 2))
    found = window_sums(values, 4)
    assert found == pytest.approx(np.array([values[first : first + 4].sum(axis=0) for first in range(6)]))


def test_days_are_drawn_in_whole_blocks():
    found = drawn_days(20, 23, 6, np.random.default_rng(2))
    assert len(found) == 23
    steps = np.diff(found) % 20
    assert (np.delete(steps, [5, 11, 17]) == 1).all()
    assert set(found) <= set(range(20))


def test_a_year_has_a_look_a_day():
    years = list(stationary_years(np.arange(40.0), shift, PLAN))
    assert len(years) == 100
    assert {year.shape for year in years} == {(YEAR_DAYS, 1)}


def limits_of(days, plan, chance=0.1):
    return upper_limits(list(stationary_years(days, shift, plan)), chance, len(days), plan)


def test_the_same_seed_gives_the_same_limits():
    days = np.random.default_rng(3).standard_normal(60)
    assert limits_of(days, PLAN).tolist() == limits_of(days, PLAN).tolist()


def years_that_cross(block, years, seed):
    """Of years with regimes of three days: those that cross the limit of 120 other days of the same market."""
    generator, crossed = np.random.default_rng(seed), 0
    for number in range(years):
        known, later = regimes(generator, 120, 3), regimes(generator, YEAR_DAYS + 4, 3)
        limit = limits_of(known, StreamPlan(5, block, 60, number))
        crossed += bool((shift(known, window_sums(later, 5)) > limit).any())
    return crossed


def test_a_stationary_year_crosses_the_limit_as_seldom_as_asked():
    # Of 60 years 6 are expected; 14 or more would be seen in a thousandth of the cases.
    assert years_that_cross(12, 60, 4) < 14


def test_days_drawn_one_by_one_would_cry_wolf():
    assert years_that_cross(1, 30, 5) > 20


def test_limits_hold_for_all_columns_together():
    generator = np.random.default_rng(6)
    plan = StreamPlan(YEAR_DAYS, 1, 400, 1)  # one window a year, so that the drawn years alone set the limit
    years = list(np.abs(generator.standard_normal((400, 30, 12))) * np.arange(1, 13))
    limits = upper_limits(years, 0.2, 100_000, plan)
    crossed = np.mean([(year > limits).any() for year in years])
    assert crossed == pytest.approx(0.2, abs=0.03)
    assert limits[-1] / limits[0] == pytest.approx(12, rel=0.1)  # each in its own unit


@pytest.mark.parametrize(("scale", "high"), [("root", np.inf), ("share", 1.0)])
def test_a_limit_of_few_days_is_further_out_and_in_the_range_of_its_scale(scale, high):
    years = list(np.random.default_rng(7).beta(2, 5, (50, 40, 3)))
    far, near = (upper_limits(years, 0.1, days, PLAN, scale) for days in (20, 2_000))
    assert (near < far).all()
    assert (far < high).all()


def test_on_the_scale_root_the_roots_are_compared():
    years = list(np.random.default_rng(8).random((50, 40, 3)))
    squares = [np.square(year) for year in years]
    expected = np.square(upper_limits(years, 0.1, 60, PLAN))
    assert upper_limits(squares, 0.1, 60, PLAN, "root") == pytest.approx(expected)


def test_a_column_that_never_varied_has_its_value_as_the_limit():
    assert upper_limits([np.full((30, 1), 0.01)] * 20, 0.1, 60, PLAN) == pytest.approx([0.01])


def test_extremes_that_were_not_drawn_are_those_of_the_normal_distribution():
    """All years alike: the limit is where the normal distribution has it for one column and 73 windows."""
    year = np.random.default_rng(9).permutation(np.linspace(-1, 1, 365))[:, None]
    plan = StreamPlan(5, 5, 20, 1)
    found = upper_limits([year] * 20, 0.1, 100_000, plan)
    expected = stats.norm.isf(0.1 / 73) * year.std()
    assert found == pytest.approx([expected], rel=0.001)


@pytest.mark.parametrize(("days", "freedom"), [(4, 3), (20, 5), (120, 35)])
def test_freedom_grows_with_the_blocks(days, freedom):
    assert PLAN.freedom(days) == freedom
