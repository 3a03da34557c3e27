"""Weights against scikit-learn's and against figures worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Lasso, LinearRegression, Ridge

from quorate.ensemble.stack.linear import blending, lasso, ridge, voting


def rows(seed, n=200, m=3, scale=0.003):
    """Members that share a part of what they say, and returns that hold some of it."""
    random = np.random.default_rng(seed)
    predicted = scale * (random.normal(size=(n, m)) + random.normal(size=(n, 1)))
    return predicted, predicted @ random.normal(size=m) + 0.02 * random.normal(size=n)


@given(st.integers(0, 10_000), st.sampled_from([1e-4, 0.01, 1.0, 100.0]))
def test_ridge_is_scikit_learns(seed, strength):
    predicted, y = rows(seed)
    held = strength * (predicted**2).sum() / predicted.shape[1]
    known = Ridge(alpha=held, fit_intercept=False, solver="cholesky").fit(predicted, y).coef_
    np.testing.assert_allclose(ridge(predicted, y, strength), known, rtol=1e-9, atol=1e-12)


@given(st.integers(0, 10_000), st.sampled_from([0.01, 0.1, 0.5]))
def test_lasso_is_scikit_learns(seed, strength):
    predicted, y = rows(seed, scale=1.0)
    alpha = strength * np.abs(predicted.T @ y).max() / len(y)
    known = Lasso(alpha=alpha, fit_intercept=False, tol=1e-12, max_iter=100_000).fit(predicted, y).coef_
    np.testing.assert_allclose(lasso(predicted, y, strength), known, rtol=1e-6, atol=1e-8)


@given(st.integers(0, 10_000))
def test_blending_is_scikit_learns(seed):
    predicted, y = rows(seed)
    known = LinearRegression(positive=True, fit_intercept=False).fit(predicted, y).coef_
    found = blending(predicted, y)
    assert (found >= 0).all()
    np.testing.assert_allclose(found, known, rtol=1e-6, atol=1e-9)


def test_by_hand():
    predicted, y = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([3.0, -1.0])
    # The moments are the unit matrix, its mean diagonal 1: each weight is halved by a strength of 1.
    np.testing.assert_allclose(ridge(predicted, y, 1.0), [1.5, -0.5])
    np.testing.assert_allclose(ridge(predicted, y, 0.0), [3.0, -1.0])
    # A third of the penalty that would leave nothing of the 3: 3 - 1, and the -1 is gone.
    np.testing.assert_allclose(lasso(predicted, y, 1 / 3), [2.0, 0.0])
    np.testing.assert_allclose(blending(predicted, y), [3.0, 0.0])
    np.testing.assert_allclose(voting(4), [0.25] * 4)


@pytest.mark.parametrize("fit", [lambda p, y: ridge(p, y, 0.1), lambda p, y: lasso(p, y, 0.1), blending])
@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_the_scale_of_what_members_say_is_no_matter(fit, factor):
    predicted, y = rows(3)
    np.testing.assert_allclose(factor * fit(factor * predicted, y), fit(predicted, y), rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("fit", [lambda p, y: ridge(p, y, 0.0), lambda p, y: lasso(p, y, 0.01), blending])
def test_members_that_say_the_same_and_members_that_say_nothing_are_no_trouble(fit):
    random = np.random.default_rng(5)
    one = random.normal(size=100)
    predicted = np.column_stack([one, one, np.zeros(100)])
    found = fit(predicted, 2 * one)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(predicted @ found, 2 * one, rtol=0.02)
    assert found[2] == 0


def test_a_strength_of_one_leaves_the_lasso_nothing():
    predicted, y = rows(8)
    assert not lasso(predicted, y, 1.0).any()
    assert lasso(predicted, y, 0.99).any()


def test_members_that_are_never_right_get_no_share_of_a_blend():
    predicted = np.array([[0.01], [-0.02]])
    assert blending(predicted, np.array([-0.01, 0.02])).tolist() == [0.0]
