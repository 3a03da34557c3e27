"""Sums of days: windows made of them are what the metrics say of the same rows."""

import numpy as np
import pytest

from quorate.evaluation.daily_sums import (
    BINS,
    daily_counts,
    daily_outcomes,
    error_of_sums,
    feature_distances,
    skill_of_sums,
)
from quorate.evaluation.metrics.classification import ece, skill_vs_prior
from quorate.evaluation.statistics.quantile_cells import QuantileCells, largest_gap, shares_of, stability_index

PRIOR = np.array([0.2, 0.5, 0.3])


@pytest.fixture
def outcomes():
    generator = np.random.default_rng(1)
    probabilities = generator.dirichlet([2, 4, 3], 800)
    probabilities[::50] = np.nan
    return generator.integers(0, 3, 800), probabilities, generator.integers(0, 6, 800)


def test_skill_and_calibration_error_are_those_of_the_rows(outcomes):
    y, probabilities, day = outcomes
    sums = daily_outcomes(y, probabilities, PRIOR, day, 6)
    assert sums.shape == (6, 3 + BINS)
    assert sums[:, 0].sum() == 784
    assert skill_of_sums(sums.sum(axis=0)) == pytest.approx(skill_vs_prior(y, probabilities, PRIOR))
    assert error_of_sums(sums.sum(axis=0)) == pytest.approx(ece(y, probabilities, BINS))
    own = day == 3
    assert skill_of_sums(sums[3]) == pytest.approx(skill_vs_prior(y[own], probabilities[own], PRIOR))
    assert error_of_sums(sums[3]) == pytest.approx(ece(y[own], probabilities[own], BINS))


def test_a_day_without_rows_has_no_figures(outcomes):
    y, probabilities, day = outcomes
    sums = daily_outcomes(y, probabilities, PRIOR, day, 7)
    assert np.isnan(skill_of_sums(sums)[6])
    assert np.isnan(error_of_sums(sums)[6])


def test_counts_are_those_of_each_day_and_feature():
    X = np.array([[0.0, 1.0], [0.0, 5.0], [9.0, 2.0]], np.float32)
    cells = [QuantileCells(np.array([1.0])), QuantileCells(np.array([1.0, 3.0]))]
    counts = daily_counts(cells, X, np.array([0, 0, 1]), 2)
    assert counts.tolist() == [[[2, 0, 0], [1, 0, 1]], [[0, 1, 0], [0, 1, 0]]]


def test_distances_are_of_all_features_the_index_first():
    generator = np.random.default_rng(2)
    known, windows = generator.integers(1, 9, (5, 3, 4)), generator.integers(1, 9, (2, 3, 4))
    found = feature_distances(known, windows)
    assert found.shape == (2, 6)
    expected = shares_of(known.sum(axis=0))
    assert found[1, 2] == pytest.approx(float(stability_index(expected[2], shares_of(windows[1, 2]))))
    assert found[1, 5] == pytest.approx(float(largest_gap(expected[2], shares_of(windows[1, 2]))))
