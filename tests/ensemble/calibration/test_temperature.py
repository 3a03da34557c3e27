"""Temperatures against scipy's minimiser and by hand, and for scores without or with negative skill."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from quorate.core.errors import ModelError
from quorate.ensemble.calibration.temperature import UNCHANGED, Temperature, fit_temperature


def drawn(seed, n=3_000, sharp=1.0, offsets=(0.0, 0.0, 0.0)):
    """Scores, and classes drawn with probabilities proportional to score^sharp x exp(offset)."""
    random = np.random.default_rng(seed)
    scores = random.dirichlet([1.5, 2.0, 1.5], n)
    true = Temperature(sharp, offsets)(scores)
    y = (random.random(n)[:, None] > true.cumsum(axis=1)).sum(axis=1).clip(0, 2).astype(np.int8)
    return scores, y


def loss(parameters, scores, y):
    inverse, sell, buy = parameters if len(parameters) == 3 else (parameters[0], 0.0, 0.0)
    made = Temperature(inverse, (sell, 0.0, buy))(scores)
    return -np.log(made[np.arange(len(y)), y]).mean()


@pytest.mark.parametrize(
    ("seed", "sharp", "offsets"), [(1, 0.4, (0, 0, 0)), (2, 2.5, (0.5, 0, -0.4)), (3, 1, (0, 0, 0))]
)
@pytest.mark.parametrize("shifted", [False, True])
def test_the_fit_equals_the_minimum_by_scipy(seed, sharp, offsets, shifted):
    scores, y = drawn(seed, sharp=sharp, offsets=offsets)
    found = fit_temperature(scores, y, shifted=shifted)
    start = [1.0, 0.0, 0.0] if shifted else [1.0]
    best = minimize(loss, start, args=(scores, y), method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-12})
    own = [found.inverse, found.offsets[0], found.offsets[2]][: len(start)]
    np.testing.assert_allclose(own, best.x, atol=2e-4)
    assert loss(own, scores, y) <= best.fun + 1e-9


def test_known_parameters_are_found_and_calibrated_scores_stay_unchanged():
    scores, y = drawn(5, n=60_000, sharp=0.5, offsets=(0.3, 0.0, -0.3))
    found = fit_temperature(scores, y, shifted=True)
    np.testing.assert_allclose([found.inverse, *found.offsets], [0.5, 0.3, 0.0, -0.3], atol=0.05)
    scores, y = drawn(6, n=60_000)
    assert fit_temperature(scores, y).inverse == pytest.approx(1, abs=0.03)


def test_scores_with_negative_skill_are_ignored_and_not_inverted():
    scores, y = drawn(7, sharp=1.5)
    wrong = (1 - scores) / 2
    assert fit_temperature(wrong, y).inverse == 0
    np.testing.assert_allclose(fit_temperature(wrong, y)(wrong), 1 / 3)
    # With offsets the class shares remain.
    shares = np.bincount(y, minlength=3) / len(y)
    np.testing.assert_allclose(fit_temperature(wrong, y, shifted=True)(wrong)[:5], np.tile(shares, (5, 1)), atol=1e-4)


def test_scores_that_are_always_right_give_a_finite_map():
    y = np.arange(300) % 3
    found = fit_temperature(np.eye(3)[y] * 0.4 + 0.2, y.astype(np.int8))
    assert 5 < found.inverse <= 50
    assert np.isfinite(found(np.array([[0.0, 0.0, 1.0]]))).all()


def test_by_hand():
    # 0.2^2 : 0.2^2 : 0.4^2 = 1 : 1 : 4, and an offset of ln 2 for SELL makes it 2 : 1 : 4.
    np.testing.assert_allclose(
        Temperature(2.0, (np.log(2), 0, 0))(np.array([[0.2, 0.2, 0.4]])), [[2 / 7, 1 / 7, 4 / 7]]
    )


@settings(max_examples=50)
@given(st.integers(0, 10_000), st.floats(0, 5), st.floats(-2, 2), st.integers(1, 60))
def test_one_row_and_many_give_the_same_bits(seed, inverse, offset, n):
    scores = np.random.default_rng(seed).dirichlet([1, 1, 1], n)
    made = Temperature(inverse, (offset, 0.0, -offset))
    for row in range(n):
        assert (made(scores[row : row + 1])[0] == made(scores)[row]).all()
    np.testing.assert_allclose(made(scores).sum(axis=1), 1)


def test_a_row_that_is_not_finite_stays_so_and_leaves_others_unchanged():
    made = UNCHANGED(np.array([[np.nan, 0.5, 0.5], [0.2, 0.3, 0.5]]))
    assert np.isnan(made[0]).all()
    np.testing.assert_allclose(made[1], [0.2, 0.3, 0.5])


def test_no_rows_are_an_error_and_a_saved_map_is_read_back():
    with pytest.raises(ModelError, match="no rows"):
        fit_temperature(np.empty((0, 3)), np.empty(0, np.int8))
    made = Temperature(0.7, (0.1, 0.0, -0.2))
    assert Temperature.from_json(made.to_json()) == made
    for inverse in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="temperature"):
            Temperature.from_json({"inverse": inverse, "offsets": [0, 0, 0]})


def test_a_shrunk_map_lies_between_the_scores_and_the_map():
    made = Temperature(0.5, (0.4, 0.0, -0.2))
    assert made.shrunk(0.25) == Temperature(0.875, (0.1, 0.0, -0.05))
    assert made.shrunk(0.0) == UNCHANGED
    assert made.shrunk(1.0) == made
