"""Linear combiners against scikit-learn and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Lasso, LinearRegression, Ridge

from quorate.ensemble.stack.linear import blending, equal_weights, lasso, ridge


def rows(seed, n=200, m=3, scale=0.003):
    """Correlated predictions of members, and returns that depend on them."""
    random = np.random.default_rng(seed)
    predicted = scale * (random.normal(size=(n, m)) + random.normal(size=(n, 1)))
    return predicted, predicted @ random.normal(size=m) + 0.02 * random.normal(size=n)


@given(st.integers(0, 10_000), st.sampled_from([1e-4, 0.01, 1.0, 100.0]))
def test_ridge_equals_scikit_learn(seed, strength):
    predicted, y = rows(seed)
    alpha = strength * (predicted**2).sum() / predicted.shape[1]
    known = Ridge(alpha=alpha, fit_intercept=False, solver="cholesky").fit(predicted, y).coef_
    np.testing.assert_allclose(ridge(predicted, y, strength), known, rtol=1e-9, atol=1e-12)


@given(st.integers(0, 10_000), st.sampled_from([0.01, 0.1, 0.5]))
def test_lasso_equals_scikit_learn(seed, strength):
    predicted, y = rows(seed, scale=1.0)
    alpha = strength * np.abs(predicted.T @ y).max() / len(y)
    known = Lasso(alpha=alpha, fit_intercept=False, tol=1e-12, max_iter=100_000).fit(predicted, y).coef_
    np.testing.assert_allclose(lasso(predicted, y, strength), known, rtol=1e-6, atol=1e-8)


@given(st.integers(0, 10_000))
def test_blending_equals_scikit_learn(seed):
    predicted, y = rows(seed)
    known = LinearRegression(positive=True, fit_intercept=False).fit(predicted, y).coef_
    found = blending(predicted, y)
    assert (found >= 0).all()
    np.testing.assert_allclose(found, known, rtol=1e-6, atol=1e-9)


def test_by_hand():
    predicted, y = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([3.0, -1.0])
    # The moments are the identity with a mean diagonal of 1: a penalty of 1 halves each weight.
    np.testing.assert_allclose(ridge(predicted, y, 1.0), [1.5, -0.5])
    np.testing.assert_allclose(ridge(predicted, y, 0.0), [3.0, -1.0])
    # A third of the penalty at which all weights are 0: 3 - 1, and the -1 becomes 0.
    np.testing.assert_allclose(lasso(predicted, y, 1 / 3), [2.0, 0.0])
    np.testing.assert_allclose(blending(predicted, y), [3.0, 0.0])
    np.testing.assert_allclose(equal_weights(4), [0.25] * 4)


@pytest.mark.parametrize("fit", [lambda p, y: ridge(p, y, 0.1), lambda p, y: lasso(p, y, 0.1), blending])
@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_weights_do_not_depend_on_the_scale_of_predictions(fit, factor):
    predicted, y = rows(3)
    np.testing.assert_allclose(factor * fit(factor * predicted, y), fit(predicted, y), rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("fit", [lambda p, y: ridge(p, y, 0.0), lambda p, y: lasso(p, y, 0.01), blending])
def test_equal_members_and_a_member_of_zeros(fit):
    random = np.random.default_rng(5)
    one = random.normal(size=100)
    predicted = np.column_stack([one, one, np.zeros(100)])
    found = fit(predicted, 2 * one)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(predicted @ found, 2 * one, rtol=0.02)
    assert found[2] == 0


def test_a_strength_of_one_gives_a_lasso_of_zeros():
    predicted, y = rows(8)
    assert not lasso(predicted, y, 1.0).any()
    assert lasso(predicted, y, 0.99).any()


def test_members_with_negative_skill_get_no_weight_in_a_blend():
    predicted = np.array([[0.01], [-0.02]])
    assert blending(predicted, np.array([-0.01, 0.02])).tolist() == [0.0]
