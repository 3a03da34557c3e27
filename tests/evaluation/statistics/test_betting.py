from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.errors import EvaluationError
from quorate.evaluation.statistics.betting import FRACTIONS, BettingTest

ALPHA = 0.05


def played(values: list[float], bound: float = 1.0, lanes: int = 1) -> BettingTest:
    """A test after values that each took as many bars as there are lanes; what is not over is open."""
    test = BettingTest(lanes)
    for bar in range(len(values) + lanes):
        if bar >= lanes:
            test.settle(bar % lanes, values[bar - lanes])
        if bar < len(values):
            test.place(bar % lanes, bound)
    return test


def test_two_bets_by_hand() -> None:
    """Half of the wealth on 0.4 of at most 1, then on -0.2 of at most 2: 1 + 0.5 x 0.4, then 1 - 0.5 x 0.2 / 2."""
    test = BettingTest(fractions=(0.5,))
    test.place(0, 1.0)
    assert math.exp(test.log_above) == pytest.approx(0.5), "an open bet counts as lost"
    test.settle(0, 0.4)
    assert math.exp(test.log_above) == pytest.approx(1.2)
    assert math.exp(test.log_below) == pytest.approx(0.8)
    test.place(0, 2.0)
    test.settle(0, -0.2)
    assert math.exp(test.log_above) == pytest.approx(1.2 * 0.95)
    assert math.exp(test.log_below) == pytest.approx(0.8 * 1.05)


def test_the_stake_is_on_the_largest_bound_so_far() -> None:
    test = BettingTest(fractions=(0.5,))
    for value, bound in ((2.0, 4.0), (1.0, 1.0)):
        test.place(0, bound)
        test.settle(0, value)
    assert math.exp(test.log_above) == pytest.approx((1 + 0.5 * 2 / 4) * (1 + 0.5 * 1 / 4))


def test_lanes_have_a_wealth_each_and_the_e_value_is_their_mean() -> None:
    test = BettingTest(2, fractions=(0.5,))
    for lane, value in ((0, 0.4), (1, -0.4)):
        test.place(lane, 1.0)
        test.settle(lane, value)
    test.place(1, 1.0)
    assert math.exp(test.log_above) == pytest.approx((1.2 + 0.8 * 0.5) / 2)


def test_the_e_value_is_the_mean_over_the_fractions() -> None:
    expected = np.mean([1 + fraction * 0.3 for fraction in FRACTIONS])
    assert math.exp(played([0.3]).log_above) == pytest.approx(expected)


def test_nothing_at_stake_is_no_evidence() -> None:
    assert played([0.0] * 50, bound=0.0).log_above == pytest.approx(0.0)


def test_many_series_side_by_side_are_as_each_alone() -> None:
    random = np.random.default_rng(1)
    values = random.uniform(-1, 1, (3, 40))
    together = BettingTest(2, shape=(3,))
    for bar in range(40):
        together.place(bar % 2, np.ones(3))
        together.settle(bar % 2, values[:, bar])
    for row in range(3):
        alone = BettingTest(2)
        for bar in range(40):
            alone.place(bar % 2, 1.0)
            alone.settle(bar % 2, float(values[row, bar]))
        assert together.log_above[row] == alone.log_above
        assert together.log_below[row] == alone.log_below


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=60), st.integers(1, 5))
def test_a_bound_passes_0_exactly_where_the_e_value_passes_its_threshold(values: list[float], lanes: int) -> None:
    test = played(values, lanes=lanes)
    lower, upper = test.bounds(ALPHA)
    assert lower <= upper
    threshold = -math.log(ALPHA)
    if abs(float(test.log_above) - threshold) > 1e-9:
        assert (lower > 0) == (test.log_above > threshold)
    if abs(float(test.log_below) - threshold) > 1e-9:
        assert (upper < 0) == (test.log_below > threshold)


def test_the_bounds_of_a_long_series_close_in_on_its_mean() -> None:
    values = np.random.default_rng(2).uniform(-0.4, 0.8, 4_000).tolist()
    lower, upper = played(values).bounds(ALPHA)
    assert lower < 0.2 < upper
    assert upper - lower < 0.08


def looked_at_every_bar(random: np.random.Generator, mean: float, lanes: int) -> float:
    """Share of 400 series of 300 overlapping values whose e-value ever passed its threshold."""
    series, bars = 400, 300
    noise = random.standard_t(3, (series, bars + lanes - 1))
    summed = np.stack([noise[:, at : at + bars] for at in range(lanes)]).sum(axis=0) / math.sqrt(3 * lanes)
    values = np.clip(summed / 3 + mean, -1, 1)
    test = BettingTest(lanes, shape=(series,))
    rejected = np.zeros(series, np.bool_)
    for bar in range(bars):
        if bar >= lanes:
            test.settle(bar % lanes, values[:, bar - lanes])
        rejected |= test.log_above >= -math.log(ALPHA)
        test.place(bar % lanes, np.ones(series))
    return float(rejected.mean())


@pytest.mark.parametrize("lanes", [1, 5])
def test_looking_at_every_bar_does_not_raise_the_rate_of_errors(lanes: int) -> None:
    """Heavy tails, and values that overlap as labels do. The limit is 5 %, and 3 standard errors of 400 series."""
    assert looked_at_every_bar(np.random.default_rng(3), 0.0, lanes) < ALPHA + 0.033


@pytest.mark.parametrize("lanes", [1, 5])
def test_a_mean_above_0_is_found(lanes: int) -> None:
    assert looked_at_every_bar(np.random.default_rng(4), 0.2, lanes) > 0.8


@pytest.mark.parametrize("fractions", [(), (0.0, 0.5), (1.0,), (-0.1,)])
def test_stakes_that_could_ruin_are_refused(fractions: tuple[float, ...]) -> None:
    with pytest.raises(EvaluationError, match="above 0 and below 1"):
        BettingTest(fractions=fractions)


def test_a_bet_is_settled_once_and_within_its_bound() -> None:
    test = BettingTest(2)
    with pytest.raises(EvaluationError, match="none that is open in lane 1"):
        test.settle(1, 0.0)
    test.place(1, 0.2)
    with pytest.raises(EvaluationError, match=r"beyond its bound by 0\.1"):
        test.settle(1, -0.3)
    test.place(1, 0.2)
    with pytest.raises(EvaluationError, match="or none"):
        test.settle(1, math.nan)


def test_without_a_value_there_are_no_bounds() -> None:
    assert BettingTest(3).bounds(ALPHA) is None
