from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from quorate.core.errors import EvaluationError
from quorate.evaluation.statistics.diebold_mariano import diebold_mariano


@given(st.integers(0, 10_000), st.integers(5, 200))
def test_one_period_ahead_it_is_the_paired_t_test(seed: int, n: int) -> None:
    """With h = 1 the correction turns the statistic into Student's own."""
    rng = np.random.default_rng(seed)
    ours, theirs = rng.normal(0, 1, n) ** 2, rng.normal(0.1, 1, n) ** 2
    found, oracle = diebold_mariano(ours - theirs), stats.ttest_rel(ours, theirs)
    assert found.statistic == pytest.approx(oracle.statistic)
    assert found.p_value == pytest.approx(oracle.pvalue)


def test_two_periods_ahead_by_hand() -> None:
    """d = 1, 3, 2, 6: mean 3; autocovariances (4 + 0 + 1 + 9) / 4 = 3.5 and (0 + 0 - 3) / 4 = -0.75.

    The variance of the mean is (3.5 - 2 x 0.75) / 4 = 0.5; the correction (4 + 1 - 4 + 2 / 4) / 4 = 0.375.
    """
    found = diebold_mariano(np.array([1.0, 3.0, 2.0, 6.0]), 2)
    assert found.statistic == pytest.approx(3 / math.sqrt(0.5) * math.sqrt(0.375))
    assert found.p_value == pytest.approx(2 * stats.t.sf(found.statistic, 3))


def overlapping(rng: np.random.Generator, n: int, horizon: int) -> np.ndarray:
    """Differences between equals that overlap as forecasts over a horizon do: a moving average of order h - 1."""
    noise = rng.normal(size=n + horizon - 1)
    return np.convolve(noise, np.ones(horizon), "valid")


def test_equals_are_told_apart_as_rarely_as_it_says_however_far_they_look_ahead() -> None:
    rng = np.random.default_rng(7)
    series = [overlapping(rng, 300, 5) for _ in range(1_000)]
    aware = np.mean([diebold_mariano(difference, 5).p_value < 0.05 for difference in series])
    blind = np.mean([diebold_mariano(difference, 1).p_value < 0.05 for difference in series])
    assert 0.03 < aware < 0.09
    assert blind > 0.3


@settings(max_examples=25)
@given(st.integers(0, 1_000))
def test_swapping_the_forecasts_turns_the_sign_only(seed: int) -> None:
    difference = np.random.default_rng(seed).normal(0.1, 1, 60)
    one, other = diebold_mariano(difference, 3), diebold_mariano(-difference, 3)
    assert one.statistic == pytest.approx(-other.statistic)
    assert one.p_value == pytest.approx(other.p_value)


@pytest.mark.parametrize(
    ("difference", "horizon", "why"),
    [
        (np.zeros(0), 1, "too few"),
        (np.zeros(4), 5, "too few"),
        (np.full(20, 0.3), 1, "the same in every"),
        # Alternating differences have an autocovariance of nearly minus their variance: no variance is left.
        (np.tile([1.0, -1.0], 10), 2, "cannot be estimated"),
    ],
)
def test_where_there_is_no_statistic_it_says_why(difference: np.ndarray, horizon: int, why: str) -> None:
    found = diebold_mariano(difference, horizon)
    assert math.isnan(found.statistic)
    assert why in found.why


def test_nonsense_is_refused() -> None:
    with pytest.raises(EvaluationError):
        diebold_mariano(np.array([1.0, np.nan]))
    with pytest.raises(EvaluationError):
        diebold_mariano(np.ones(5), 0)
