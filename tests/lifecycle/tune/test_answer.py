"""The mapping of scores to the question: by hand, and against what was planted."""

import numpy as np
import pytest

from quorate.lifecycle.tune.answer import AnswerMap

SCORES = np.array([[0.2, 0.5, 0.3], [0.1, 0.8, 0.1], [0.6, 0.2, 0.2]])


def test_without_rows_the_scores_stay_as_they_are():
    found = AnswerMap.fit(np.full((4, 3), np.nan), np.zeros(4, np.int8))
    assert found == AnswerMap()
    np.testing.assert_allclose(found.probabilities(SCORES), SCORES)


def test_a_row_by_hand():
    # Odds of a move are 0.5 / 0.5, of BUY 0.3 / 0.2: a0 = ln 3 makes them 3 to 1, b1 = 2 makes them 9 to 4.
    found = AnswerMap((np.log(3), 1.0), (0.0, 2.0)).probabilities(SCORES[:1])
    np.testing.assert_allclose(found, [[0.75 * 4 / 13, 0.25, 0.75 * 9 / 13]])


def test_a_row_without_scores_has_no_probabilities():
    assert np.isnan(AnswerMap().probabilities(np.full((1, 3), np.nan))).all()


def test_what_was_planted_is_found():
    generator = np.random.default_rng(1)
    scores = generator.dirichlet((3, 4, 3), 40_000)
    planted = AnswerMap((-0.4, 0.6), (0.2, 1.5))
    true = planted.probabilities(scores)
    y = (generator.random((len(true), 1)) > true.cumsum(axis=1)).sum(axis=1).astype(np.int8)
    found = AnswerMap.fit(scores, y)
    np.testing.assert_allclose([*found.move, *found.side], [*planted.move, *planted.side], atol=0.06)
    np.testing.assert_allclose(found.probabilities(scores).sum(axis=1), 1)


def test_a_forecast_is_not_turned_round():
    generator = np.random.default_rng(2)
    scores = generator.dirichlet((3, 4, 3), 5_000)
    against = AnswerMap((0.0, 1.0), (0.0, -1.0)).probabilities(scores)
    y = (generator.random((len(scores), 1)) > against.cumsum(axis=1)).sum(axis=1).astype(np.int8)
    assert AnswerMap.fit(scores, y).side[1] == pytest.approx(0)
