"""The probability of a sign, against scikit-learn's isotonic regression."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from quorate.ensemble.stack.sign_probability import fit_sign_probability


@given(st.integers(0, 10_000), st.integers(2, 300), st.booleans())
def test_the_curve_equals_scikit_learns_isotonic_regression(seed, n, ties):
    random = np.random.default_rng(seed)
    predicted = 0.01 * random.normal(size=n)
    if ties:
        predicted = np.round(predicted, 3)
    y = 0.5 * predicted + 0.01 * random.normal(size=n)
    signed = predicted != 0
    if not signed.any():
        return
    right = np.sign(predicted) == np.sign(y)
    known = IsotonicRegression(out_of_bounds="clip").fit(np.abs(predicted[signed]), right[signed])
    sizes = np.concatenate([predicted[signed], 0.02 * random.normal(size=50)])
    np.testing.assert_allclose(
        fit_sign_probability(predicted, y).at(sizes), known.predict(np.abs(sizes)), rtol=0, atol=1e-9
    )


@given(st.integers(0, 10_000), st.integers(1, 400), st.sampled_from([1, 7, 50, 1_000]))
def test_the_probability_never_falls_with_the_size(seed, n, least):
    random = np.random.default_rng(seed)
    curve = fit_sign_probability(random.normal(size=n), random.normal(size=n), least)
    found = curve.at(np.linspace(0, 5, 500))
    assert (np.diff(found) >= 0).all()
    assert found.min() >= 0
    assert found.max() <= 1
    np.testing.assert_array_equal(curve.at(np.array([0.3, 1.2])), curve.at(np.array([-0.3, -1.2])))


def test_each_step_has_enough_rows():
    # The three largest were right, of all others every second: three rows alone would give 1; of the upper half 27
    # were right: every second, and two more.
    size = np.arange(1.0, 101.0)
    y = np.where((np.arange(100) % 2 == 0) | (size > 97), 1.0, -1.0)
    assert fit_sign_probability(size, y, 1).at(np.array([100.0])) == 1.0
    assert fit_sign_probability(size, y, 50).at(np.array([100.0])) == pytest.approx(27 / 50)


def test_by_hand():
    # Sizes 1, 2, 3, 4: right, wrong, right, right. The first two are pooled to a half.
    curve = fit_sign_probability(np.array([1.0, -2.0, 3.0, -4.0]), np.array([1.0, 2.0, 3.0, -4.0]))
    np.testing.assert_allclose(curve.at(np.array([0.5, 1.0, 2.0, 2.5, 3.0, 9.0])), [0.5, 0.5, 0.5, 0.75, 1.0, 1.0])


def test_the_probability_may_be_below_a_half():
    curve = fit_sign_probability(np.array([1.0, 2.0, 3.0]), np.array([-1.0, -1.0, 1.0]))
    assert curve.at(np.array([1.0])) == 0.0


def test_predictions_of_zero_give_a_probability_of_zero():
    assert fit_sign_probability(np.zeros(5), np.ones(5)).at(np.array([0.0, 0.1])).tolist() == [0.0, 0.0]
