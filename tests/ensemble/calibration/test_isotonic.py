"""Isotonic maps against scikit-learn."""

import json

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from quorate.core.errors import ModelError
from quorate.ensemble.calibration.isotonic import Isotonic, fit_isotonic


def drawn(seed, n):
    random = np.random.default_rng(seed)
    scores = random.dirichlet([1, 2, 1], n)
    return scores, np.array([random.choice(3, p=row) for row in scores]).astype(np.int8)


@pytest.mark.parametrize("n", [50, 2_000])
def test_each_class_equals_scikit_learn_and_rows_sum_to_one(n):
    scores, y = drawn(3, n)
    fresh = drawn(4, 500)[0]
    expected = np.stack(
        [
            IsotonicRegression(y_min=1 / (n + 2), y_max=1 - 1 / (n + 2), out_of_bounds="clip")
            .fit(scores[:, place], y == place)
            .predict(fresh[:, place])
            for place in range(3)
        ],
        axis=1,
    )
    np.testing.assert_allclose(
        fit_isotonic(scores, y)(fresh), expected / expected.sum(axis=1, keepdims=True), atol=1e-12
    )


def test_by_hand():
    # SELL never up to 0.4, half of the rows at 0.6, always above: with 6 rows no share is nearer to 0 or 1 than 1/8.
    sell = np.array([0.2, 0.4, 0.6, 0.6, 0.8, 0.9])
    y = np.array([1, 1, 0, 1, 0, 0], np.int8)
    made = fit_isotonic(np.stack([sell, (1 - sell) / 2, (1 - sell) / 2], axis=1), y)
    np.testing.assert_allclose(np.interp([0.1, 0.4, 0.5, 0.6, 0.8, 1.0], made.scores[0], made.shares[0]),
                               [1 / 8, 1 / 8, 5 / 16, 0.5, 7 / 8, 7 / 8])  # fmt: skip


def test_a_class_without_rows_is_not_impossible_and_nan_stays_nan():
    scores, _ = drawn(5, 100)
    made = fit_isotonic(scores, np.ones(100, np.int8))
    given = made(np.concatenate([scores, [[np.nan, 0.5, 0.5]]]))
    assert given[:100].min() > 0
    assert np.isnan(given[100]).all()


def test_one_row_many_rows_and_a_saved_map_give_the_same_bits():
    scores, y = drawn(6, 400)
    made = fit_isotonic(scores, y)
    again = Isotonic.from_json(json.loads(json.dumps(made.to_json())))
    many = made(scores)
    for row in range(0, 400, 7):
        assert (made(scores[row : row + 1])[0] == many[row]).all()
        assert (again(scores[row : row + 1])[0] == many[row]).all()


def test_a_shrunk_map_lies_between_the_scores_and_the_map():
    made = Isotonic(*[(np.array([0.2, 0.6]),) * 3, (np.array([0.4, 0.5]),) * 3])
    half = made.shrunk(0.5)
    # Outside the knots the map is constant and the scores are not: halfway between them.
    np.testing.assert_allclose(half.scores[0], [0, 0.2, 0.6, 1])
    np.testing.assert_allclose(half.shares[0], [0.2, 0.3, 0.55, 0.75])
    assert made.shrunk(1.0) is made
    assert Isotonic.from_json(json.loads(json.dumps(half.to_json()))).to_json() == half.to_json()


def test_no_rows_and_invalid_knots_are_errors():
    with pytest.raises(ModelError, match="no rows"):
        fit_isotonic(np.empty((0, 3)), np.empty(0, np.int8))
    for scores, shares in (
        ([0.1, 0.1], [0.2, 0.3]),
        ([0.1, 0.2], [0.3, 0.2]),
        ([0.1], [0.0]),
        ([0.1], [1.5]),
        ([], []),
    ):
        with pytest.raises(ValueError, match="isotonic knots that are not increasing"):
            Isotonic.from_json({"scores": [scores] * 3, "shares": [shares] * 3})
