"""The bound of the best candidate: worked values, simulations without merit, planted merit, and the number tried."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.ensemble.evidence.best_of_many import best_of_many, block_days


def judge(values, eligible=None, **options):
    values = np.asarray(values, float)
    allowed = np.ones(values.shape[1], np.bool_) if eligible is None else np.asarray(eligible)
    return best_of_many(values, allowed, **{"resamples": 499, **options})


def test_means_and_errors_by_hand():
    values = np.array([[1.0, np.nan], [3.0, 4.0], [5.0, np.nan], [3.0, 4.0], [3.0, np.nan], [3.0, 4.0]])
    found = judge(values)
    assert found.mean.tolist() == [3.0, 4.0]
    assert found.days.tolist() == [6, 3]
    # Squares 4 + 4 of six days: a variance of 8/5, an error of sqrt(8/5/6); three equal values have none.
    assert found.error == pytest.approx([np.sqrt(8 / 30), 0.0])
    # Three days are too few for a bound.
    assert np.isnan(found.lower[1])
    assert found.best == 0
    assert found.lower[0] < 3 < found.upper[0]


def test_the_best_is_by_the_studentised_mean_among_the_eligible():
    random = np.random.default_rng(1)
    steady, wild = 0.5 + random.normal(0, 1, 60), 1 + random.normal(0, 9, 60)
    assert judge(np.stack([wild, steady], axis=1)).best == 1
    assert judge(np.stack([wild, steady], axis=1), [True, False]).best == 0
    assert judge(np.stack([wild, steady], axis=1), [False, False]).best is None


def test_one_candidate_has_the_bound_of_a_t_test():
    """Independent normal days: the quantile is near Student's."""
    from scipy.stats import t

    values = np.random.default_rng(2).normal(1, 2, (200, 1))
    found = judge(values, resamples=4_999)
    expected = found.mean[0] - t.ppf(0.95, 199) * found.error[0]
    assert found.lower[0] == pytest.approx(expected, abs=0.35 * found.error[0])


def test_candidates_without_merit_seldom_have_a_bound_above_0():
    """Overlapping candidates, as pairs of thresholds are, on days of a common factor with heavy tails."""
    opened = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        values = random.standard_t(4, (90, 1)) + 0.7 * random.standard_t(4, (90, 60))
        values[random.random((90, 1)) > np.linspace(0.5, 1, 60)] = np.nan
        found = judge(values, np.isfinite(values).sum(axis=0) >= 30, resamples=299, seed=seed)
        opened += bool(found.best is not None and found.lower[found.best] > 0)
    # The best of 60 by an ordinary t-test is above its bound in more than a third. Up to 16 of 200 is chance at 5 %.
    assert opened <= 16


def test_a_planted_merit_is_found():
    found = 0
    for seed in range(20):
        random = np.random.default_rng(seed)
        values = random.standard_t(4, (90, 1)) + 0.7 * random.standard_t(4, (90, 60))
        values[:, 17] += 1.2
        result = judge(values, seed=seed)
        found += result.best == 17 and result.lower[17] > 0
    assert found >= 18


@given(st.integers(1, 30), st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_the_bound_of_a_candidate_never_rises_with_the_number_tried(more, seed):
    random = np.random.default_rng(seed)
    values = random.normal(0.3, 1, (50, 1 + more))
    alone, among = judge(values[:, :1], seed=seed), judge(values, seed=seed)
    assert among.lower[0] <= alone.lower[0] + 1e-12
    assert among.upper[0] >= alone.upper[0] - 1e-12


def test_values_without_variation_are_finite():
    found = judge(np.full((40, 2), 0.25))
    assert found.lower == pytest.approx([0.25, 0.25])


def test_a_few_days_that_differ_do_not_make_the_bound_infinite():
    """Most resamples of 3 losses among 60 equal gains hold a loss; some hold none, and have no error of their own."""
    values = np.full((63, 1), 0.01)
    values[[5, 30, 50]] = -0.01
    found = judge(values)
    assert 0.005 < found.lower[0] < found.mean[0]


def test_blocks_keep_the_dependence_of_days():
    """Five equal days in a row are one observation: the bound is lower than for independent days."""
    random = np.random.default_rng(4)
    independent = random.normal(0.4, 1, (200, 1))
    alike = np.repeat(random.normal(0.4, 1, (40, 1)), 5, axis=0)
    quantile = [(found.mean[0] - found.lower[0]) / found.error[0] for found in (judge(independent), judge(alike))]
    assert quantile[1] > 1.4 * quantile[0]
    assert block_days(200) == 6
