"""The consensus policy: worked numbers for each rule, and one bar against frames, bit for bit."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate import Abstention, Action, Vote, decide
from quorate.core.errors import VoteError
from quorate.core.sections.vote import VoteSettings
from quorate.ensemble.calibration.temperature import Temperature
from quorate.ensemble.voting.consensus_policy import ConsensusPolicy
from quorate.ensemble.voting.member_votes import top_action
from quorate.ensemble.voting.vote import CONFLICT
from quorate.ensemble.voting.vote_frame import decide_frame

S, H, B = Action.SELL, Action.HOLD, Action.BUY
MODELS = ("xgboost", "lightgbm", "nhits", "patchtst")
CONSENSUS = ConsensusPolicy(VoteSettings())

# P(BUY | move) of 0.80, 0.75, 0.70 and 0.60, P(HOLD) of 0.40, and its mirror image.
UP80, UP75, UP70, UP60 = (0.12, 0.4, 0.48), (0.15, 0.4, 0.45), (0.18, 0.4, 0.42), (0.24, 0.4, 0.36)
DOWN80 = (0.48, 0.4, 0.12)
CALM, EVEN = (0.1, 0.7, 0.2), (0.3, 0.4, 0.3)


def votes_of(*scores, probabilities=()):
    """One vote for each row of scores, an abstention for None."""
    votes = []
    for place, (model, row) in enumerate(zip(MODELS, scores, strict=False)):
        if row is None:
            votes.append(Abstention(model, "late"))
            continue
        action = top_action(row)
        own = probabilities[place] if probabilities else None
        votes.append(Vote(model, action, row[action], own, scores=row))
    return votes


@pytest.mark.parametrize(
    ("votes", "volatility", "action", "confidence", "consensus", "rule"),
    [
        # 0.25 x 0.80 + 0.25 x 0.75 + 0.30 x 0.70 + 0.20 x 0.60 = 0.7175: the weighted mean, and no boost.
        (votes_of(UP80, UP75, UP70, UP60), 0.02, B, 0.7175, "unanimous", "vote"),
        (votes_of(DOWN80, DOWN80, DOWN80, DOWN80), 0.02, S, 0.8, "unanimous", "vote"),
        # Three of four: (0.20 + 0.1875 + 0.21) / 0.80; a member that expects no move, or has no side, votes HOLD.
        (votes_of(UP80, UP75, UP70, CALM), 0.02, B, 0.5975 / 0.8, "strong", "vote"),
        (votes_of(UP80, UP75, UP70, EVEN), 0.02, B, 0.5975 / 0.8, "strong", "vote"),
        (votes_of(UP80, UP75, UP70, None), 0.02, B, 0.5975 / 0.8, "strong", "vote"),
        # The classic vote would boost 0.60 to 0.72, above the floor.
        (votes_of(UP60, UP60, UP60, UP60), 0.02, H, 0.6, "unanimous", "below_floor"),
        (votes_of(UP80, UP80, CALM, CALM), 0.02, H, 0.0, CONFLICT, "conflict"),
        (votes_of(UP80, UP80, CALM, None), 0.02, H, 0.8, "split", "no_quorum"),
        (votes_of(UP80, DOWN80, CALM, None), 0.02, H, 0.0, CONFLICT, "conflict"),
        # HOLD is voted for with its score.
        (votes_of(CALM, CALM, EVEN, UP80), 0.02, H, (0.5 * 0.7 + 0.3 * 0.4) / 0.8, "strong", "vote"),
        # The gate asks for a base of 0.70 above 5 %.
        (votes_of(UP70, UP70, UP70, UP70), 0.07, B, 0.7, "unanimous", "vote"),
        (votes_of(UP70, UP70, UP70, UP60), 0.07, H, 0.68, "unanimous_volatility_hold", "volatility_gate"),
        (votes_of(UP80, UP80, UP80, UP80), math.nan, H, 0.8, "unanimous_volatility_hold", "volatility_gate"),
        (votes_of(None, None), 0.02, H, 0.0, CONFLICT, "no_votes"),
    ],
)
def test_worked_examples(votes, volatility, action, confidence, consensus, rule):
    signal = decide(votes, volatility, policy="consensus")
    assert (signal.action, signal.consensus, signal.rule) == (action, consensus, rule)
    assert signal.confidence == pytest.approx(confidence, abs=1e-12)
    assert signal.confidence == signal.base
    assert signal.policy == signal.to_json()["policy"] == "consensus"


def test_two_votes_act_with_a_lowered_quorum_from_its_own_floor():
    lowered = ConsensusPolicy(VoteSettings(quorum=0.5))
    assert decide(votes_of(UP70, UP70, CALM, None), 0.02, policy=lowered).action == B
    assert decide(votes_of(UP60, UP60, CALM, None), 0.02, policy=lowered).rule == "below_floor"
    assert decide(votes_of(UP70, UP60, CALM, None), 0.02, policy=lowered).confidence == pytest.approx(0.65)
    assert decide(votes_of(UP70, UP60, CALM, None), 0.02, policy=lowered).action == B


def test_the_votes_that_are_shown_are_those_that_were_counted():
    signal = decide(votes_of(UP80, UP75, UP70, CALM), 0.02, policy="consensus")
    assert signal.line() == "strong | xgb:BUY 80%, lgbm:BUY 75%, nhits:BUY 70%, patchtst:HOLD 70% | vol:2.00%"
    assert [vote.scores for vote in signal.votes] == [UP80, UP75, UP70, CALM]


def test_probabilities_are_counted_where_a_member_has_them():
    """A member without calibration votes by its scores; a tie of raw scores is no side, whatever a map makes of it."""
    raw = votes_of(UP60, UP60, UP60, EVEN, probabilities=(UP80, UP80, None, UP80))
    signal = decide(raw, 0.02, policy="consensus")
    assert [(vote.action, round(vote.score, 12)) for vote in signal.votes] == [(B, 0.8), (B, 0.8), (B, 0.6), (H, 0.4)]
    assert signal.votes[0].probabilities == UP80


@pytest.mark.parametrize(
    ("vote", "found"),
    [
        (Vote("xgboost", B, 0.8), "the score of one class; expected scores or probabilities of SELL, HOLD and BUY"),
        (Vote("xgboost", B, 0.8, scores=(0.1, 0.1, math.nan)), "expected scores and probabilities from 0 to 1"),
        (Vote("xgboost", B, 0.8, scores=(0.1, -0.1, 1.0)), "expected scores and probabilities from 0 to 1"),
    ],
)
def test_a_vote_without_three_scores_is_an_error(vote, found):
    with pytest.raises(VoteError, match=found):
        decide([vote], 0.02, policy="consensus")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("consensual", "no such policy.*classic or consensus or closed.*consensus"),
        ("calibrated", "a policy that only a bundle has.*with_policy"),
    ],
)
def test_unknown_names_are_an_error(name, words):
    with pytest.raises(VoteError, match=f"(?s){words}"):
        decide(votes_of(UP80), 0.02, policy=name)
    with pytest.raises(VoteError, match=f"(?s){words}"):
        decide_frame({"xgboost": np.array([UP80])}, np.array([0.02]), policy=name)


scores = st.one_of(
    st.none(),
    st.sampled_from([UP80, DOWN80, UP60, CALM, EVEN, (0.4, 0.2, 0.4)]),
    st.tuples(*[st.floats(0.01, 1.0)] * 3).map(lambda row: tuple(x / sum(row) for x in row)),
)
volatilities = st.one_of(st.sampled_from([math.nan, 0.05, 0.0500001]), st.floats(0, 0.2))


@st.composite
def cases(draw):
    members = draw(st.integers(1, 6))
    bars = draw(st.integers(1, 5))
    tables, calibrated = {}, {}
    for index in range(draw(st.integers(0, members))):
        rows = [draw(scores) for _ in range(bars)]
        tables[f"m{index}"] = np.array([[np.nan] * 3 if row is None else row for row in rows])
        if draw(st.booleans()):
            warmth = Temperature(
                draw(st.sampled_from([0.5, 1.0, 2.0])), draw(st.sampled_from([(0, 0, 0), (0.3, 0, 0)]))
            )
            calibrated[f"m{index}"] = warmth(tables[f"m{index}"])
    weights = {name: draw(st.sampled_from([0.2, 0.25, 0.3, 1.0, 7.5])) for name in tables}
    vote = VoteSettings(weights=weights, quorum=draw(st.sampled_from([0.0, 0.5, 0.75, 1.0])), floor=0.6)
    return tables, calibrated, np.array([draw(volatilities) for _ in range(bars)]), ConsensusPolicy(vote), members


@settings(max_examples=400)
@given(cases())
def test_frame_and_scalar_decide_the_same_bit_for_bit(case):
    tables, calibrated, volatility, policy, members = case
    frame = decide_frame(tables, volatility, policy=policy, members=members, calibrated=calibrated)
    for bar in range(len(volatility)):
        votes = []
        for name, table in tables.items():
            row = tuple(table[bar].tolist())
            if not np.isfinite(row).all():
                votes.append(Abstention(name, "not finite"))
                continue
            own = tuple(calibrated[name][bar].tolist()) if name in calibrated else None
            votes.append(Vote(name, top_action(row), row[top_action(row)], own, scores=row))
        signal = decide(votes, float(volatility[bar]), policy=policy, members=members)
        assert frame.action[bar] == signal.action
        assert frame.confidence[bar] == signal.confidence
        assert frame.base[bar] == signal.base
        assert frame.consensus[bar] == signal.consensus
        assert frame.rule[bar] == signal.rule


@settings(max_examples=200)
@given(cases())
def test_swapping_the_sides_swaps_the_decision(case):
    """Neither side is preferred: mirrored scores give the mirrored action with the same confidence."""
    tables, _, volatility, policy, members = case
    one = decide_frame(tables, volatility, policy=policy, members=members)
    other = decide_frame(
        {name: table[:, ::-1] for name, table in tables.items()}, volatility, policy=policy, members=members
    )
    assert (2 - other.action).tolist() == one.action.tolist()
    np.testing.assert_allclose(other.confidence, one.confidence, rtol=1e-12)
    assert other.rule.tolist() == one.rule.tolist()


def test_the_policy_of_a_name_has_the_settings_of_the_vote():
    raised = decide(votes_of(UP80, UP80, UP80, UP80), 0.02, policy=replace(CONSENSUS, vote=VoteSettings(floor=0.81)))
    assert raised.rule == "below_floor"
    assert decide(votes_of(UP80, UP80, UP80, UP80), 0.02, policy=CONSENSUS).action == B
