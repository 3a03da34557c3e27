from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from quorate.core.errors import EvaluationError
from quorate.evaluation.statistics.deflated_sharpe import (
    Moments,
    deflated_sharpe,
    expected_best_sharpe,
    probabilistic_sharpe,
)

# Bailey and López de Prado (2014), the numerical example: the best of N trials has an annual Sharpe ratio of 2.5 over
# 1,250 days of 250 a year, skewness -3, kurtosis 10; the trials' annual Sharpe ratios have a variance of 1/2.
PAPER = Moments(2.5 / math.sqrt(250), 1250, -3.0, 10.0)
VARIANCE = 0.5 / 250


def test_the_papers_own_example() -> None:
    assert expected_best_sharpe(100, VARIANCE) == pytest.approx(0.1132, abs=5e-5)
    assert probabilistic_sharpe(PAPER, expected_best_sharpe(100, VARIANCE)) == pytest.approx(0.9004, abs=5e-5)
    # With fewer trials, 46 of them, the same strategy would have been believed.
    assert probabilistic_sharpe(PAPER, expected_best_sharpe(46, VARIANCE)) == pytest.approx(0.9505, abs=5e-5)


def test_the_paper_says_that_88_normal_trials_would_have_been_allowed() -> None:
    """Had the returns been normal, 95 % would still be reached after 88 trials, and no longer after 89."""
    normal = Moments(PAPER.sharpe, PAPER.n, 0.0, 3.0)
    assert probabilistic_sharpe(normal, expected_best_sharpe(88, VARIANCE)) >= 0.95
    assert probabilistic_sharpe(normal, expected_best_sharpe(89, VARIANCE)) < 0.95


@given(st.integers(0, 10_000), st.integers(20, 300))
def test_moments_are_scipys(seed: int, n: int) -> None:
    returns = np.random.default_rng(seed).standard_t(4, n) / 100
    moments = Moments.of(returns)
    assert moments.sharpe == pytest.approx(returns.mean() / returns.std(ddof=1))
    assert moments.skewness == pytest.approx(stats.skew(returns))
    assert moments.kurtosis == pytest.approx(stats.kurtosis(returns, fisher=False))


def test_the_expected_best_of_many_is_what_a_simulation_finds() -> None:
    draws = np.random.default_rng(1).normal(0, 0.3, (20_000, 50)).max(axis=1)
    assert expected_best_sharpe(50, 0.09) == pytest.approx(draws.mean(), rel=0.02)


def test_noise_is_no_longer_believed_once_its_trials_are_counted() -> None:
    """The best of 200 worthless strategies looks certain alone, and is not believed among the others."""
    returns = np.random.default_rng(2).normal(0, 0.01, (500, 200))
    sharpes = [Moments.of(column).sharpe for column in returns.T]
    best = Moments.of(returns[:, int(np.argmax(sharpes))])
    found = deflated_sharpe(best, sharpes)
    assert found.trials == 200
    assert found.undeflated > 0.98
    assert found.probability < 0.8
    alone = deflated_sharpe(best, [best.sharpe])
    assert (alone.trials, alone.reference) == (1, 0.0)
    assert alone.probability == alone.undeflated == found.undeflated


def test_every_further_trial_costs_belief() -> None:
    believed = [probabilistic_sharpe(PAPER, expected_best_sharpe(trials, VARIANCE)) for trials in (1, 2, 10, 100, 1000)]
    assert all(later < earlier for earlier, later in pairwise(believed))


def test_returns_that_say_nothing_are_nan_and_nonsense_is_refused() -> None:
    for returns in (np.empty(0), np.array([0.01]), np.full(30, 0.01)):
        assert math.isnan(probabilistic_sharpe(Moments.of(returns)))
    assert deflated_sharpe(PAPER, [math.nan, PAPER.sharpe]).trials == 1
    with pytest.raises(EvaluationError, match="0 trials"):
        expected_best_sharpe(0, 0.1)
    with pytest.raises(EvaluationError, match="variance"):
        expected_best_sharpe(3, -0.1)
