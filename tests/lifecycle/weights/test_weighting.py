"""What weights make of the scores: the pool as the ensemble's mean scores, and the scores of the vote."""

from dataclasses import replace

import numpy as np
import pytest

from quorate.core.settings import VoteSettings
from quorate.core.types import Abstention, Action, Vote
from quorate.ensemble.voting.mean_scores import mean_scores
from quorate.ensemble.voting.vote import decide
from quorate.lifecycle.weights.snippet import settings_snippet
from quorate.lifecycle.weights.weighting import FixedWeights, decisions, pooled, true_scores, voted_scores

PRIOR = np.array([0.3, 0.4, 0.3])
WEIGHTS = {"xgboost": 0.5, "lightgbm": 0.2, "nhits": 0.3}


@pytest.fixture(scope="module")
def rows(make):
    made = make({"xgboost": 0.3, "lightgbm": 0.6, "nhits": None}, bars=60)
    made.members["nhits"][::7] = np.nan
    return made


def test_the_pool_is_the_mean_that_the_ensemble_is_calibrated_on(rows):
    found = pooled(rows, FixedWeights(WEIGHTS).table(rows))
    np.testing.assert_allclose(found, mean_scores(rows.members, VoteSettings(weights=WEIGHTS)), rtol=1e-12)
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_scores_of_the_true_class(rows):
    found = true_scores(rows)
    assert found[3].tolist() == [scores[3, rows.y[3]] for scores in rows.members.values()]
    assert np.isnan(found[::7, 2]).all()


def test_scores_of_the_vote_are_those_of_its_scalar_form(rows):
    """Every bar against `decide` without gates: the winner has its confidence, a conflict the prior."""
    vote = VoteSettings()
    found = voted_scores(rows, WEIGHTS, vote, PRIOR)
    free = replace(vote, weights=WEIGHTS, quorum=0.0, floor=0.0, lowered_floor=0.0, volatility_base=0.0)
    conflicts = 0
    for row in range(len(rows)):
        votes = []
        for name, scores in rows.members.items():
            if np.isnan(scores[row]).any():
                votes.append(Abstention(name, "no score"))
            else:
                top = int(scores[row].argmax())
                votes.append(Vote(name, Action(top), float(scores[row, top])))
        signal = decide(votes, 0.0, policy=free)
        if signal.rule == "conflict":
            conflicts += 1
            assert found[row] == pytest.approx(PRIOR)
        else:
            assert found[row, signal.action] == pytest.approx(signal.confidence)
            others = [other for other in range(3) if other != signal.action]
            assert found[row, others[0]] / found[row, others[1]] == pytest.approx(PRIOR[others[0]] / PRIOR[others[1]])
    assert 0 < conflicts < len(rows) // 2
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_decisions_keep_the_gates(rows):
    calm = decisions(rows, WEIGHTS, VoteSettings())
    shut = decisions(replace(rows, volatility=np.full(len(rows), np.nan)), WEIGHTS, VoteSettings())
    assert (calm.action != Action.HOLD).any()
    assert (shut.action == Action.HOLD).all()


def test_a_snippet_is_what_the_settings_read(tmp_path):
    from quorate.core.configuration import load_settings

    path = tmp_path / "quorate.toml"
    path.write_text(settings_snippet({"xgboost": 2 / 3, "nhits": 1e-12, "a.b": 1 / 3}, "weights"))
    found = load_settings(path, environment={}).vote
    assert found.weights == {"xgboost": 0.6667, "nhits": 0.0001, "a.b": 0.3333}
