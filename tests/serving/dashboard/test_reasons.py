"""The rule that decided, in words and numbers."""

import pytest

from quorate.core.sections.vote import VoteSettings
from quorate.core.types import Action
from quorate.ensemble.voting.vote import Vote, decide
from quorate.serving.dashboard.reasons import reason

MODELS = ("xgboost", "lightgbm", "nhits", "patchtst")


def decided(*votes, volatility=0.02, policy=None):
    cast = [Vote(model, Action[side], score) for model, (side, score) in zip(MODELS, votes, strict=False)]
    return decide(cast, volatility=volatility, members=4, policy=policy or VoteSettings())


@pytest.mark.parametrize(
    ("votes", "volatility", "expected"),
    [
        ([("BUY", 0.78), ("BUY", 0.82), ("BUY", 0.85), ("BUY", 0.74)], 0.02, "4 of 4 members agree"),
        ([("HOLD", 0.78), ("HOLD", 0.82), ("HOLD", 0.85), ("BUY", 0.74)], 0.02, "3 of 4 members vote HOLD"),
        ([("BUY", 0.8), ("BUY", 0.8), ("SELL", 0.8)], 0.02, "2 of 4 members agree; the quorum is 3"),
        ([("BUY", 0.72), ("SELL", 0.7), ("BUY", 0.68), ("SELL", 0.65)], 0.02, "The votes conflict: no side has "),
        ([("BUY", 0.68)] * 4, 0.07, "Volatility 7.0 % is above 5 %: needs a score of 70 %, has 68 %"),
        ([("BUY", 0.68)] * 4, None, "The volatility is unknown"),
        ([("BUY", 0.5)] * 3, 0.02, "Confidence 55 % is below the floor of 69 %"),
        ([], 0.02, "No member voted"),
    ],
)
def test_each_rule_says_what_it_saw(votes, volatility, expected):
    assert reason(decided(*votes, volatility=volatility), VoteSettings(), 4).replace("\xa0", " ").startswith(expected)


def test_a_lowered_quorum_names_its_own_floor():
    lowered = VoteSettings(quorum=0.5)
    signal = decided(("BUY", 0.6), ("BUY", 0.6), policy=lowered)
    assert signal.rule == "below_floor"
    assert reason(signal, lowered, 4) == "Confidence 48\xa0% is below the floor of 65\xa0%"
