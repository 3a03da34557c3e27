"""The closed policy: the classic vote with every vote, and HOLD on every bar."""

import numpy as np
import pytest

from quorate import Action, Vote, decide
from quorate.core.sections.vote import VoteSettings
from quorate.ensemble.voting.closed_policy import ClosedPolicy
from quorate.ensemble.voting.vote_frame import decide_frame

MODELS = ("xgboost", "lightgbm", "nhits", "patchtst")
CLOSED = ClosedPolicy(VoteSettings(), "0 of 40 days earned more than their costs")


@pytest.mark.parametrize(
    ("score", "volatility", "confidence", "consensus"),
    [(0.8, 0.02, 0.95, "unanimous"), (0.5, 0.02, 0.6, "unanimous"), (0.6, 0.07, 0.72, "unanimous_volatility_hold")],
)
def test_the_vote_is_shown_and_the_bar_is_held(score, volatility, confidence, consensus):
    votes = [Vote(model, Action.BUY, score) for model in MODELS]
    signal = decide(votes, volatility, policy=CLOSED)
    assert (signal.action, signal.rule, signal.policy) == (Action.HOLD, "closed", "closed")
    assert (signal.confidence, signal.consensus) == (pytest.approx(confidence), consensus)
    assert signal.votes == tuple(votes)
    assert signal.to_json()["closed_because"] == "0 of 40 days earned more than their costs"
    assert "closed_because" not in decide(votes, volatility).to_json()


def test_a_bar_without_votes_says_so():
    assert decide([], 0.02, members=4, policy="closed").rule == "no_votes"


def test_frames_equal_single_bars():
    table = np.random.default_rng(3).dirichlet([1, 1, 3], size=200)
    tables = {model: np.roll(table, place, axis=0) for place, model in enumerate(MODELS)}
    tables["xgboost"] = tables["lightgbm"].copy()
    for rows in tables.values():
        rows[:20] = np.nan
    volatility = np.linspace(0, 0.1, 200)
    classic, closed = (decide_frame(tables, volatility, policy=policy) for policy in ("classic", "closed"))
    assert (classic.action != Action.HOLD).any()
    assert (closed.action == Action.HOLD).all()
    assert (closed.rule == np.where(classic.rule == "no_votes", "no_votes", "closed")).all()
    for name in ("confidence", "base", "consensus"):
        np.testing.assert_array_equal(getattr(closed, name), getattr(classic, name))
