"""The calibrated policy: each rule by hand, and one bar against frames, bit for bit."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate import Abstention, Action, Vote, decide
from quorate.core.settings import VoteSettings
from quorate.ensemble.calibration.conformal import Conformal
from quorate.ensemble.calibration.isotonic import fit_isotonic
from quorate.ensemble.calibration.temperature import UNCHANGED, Temperature
from quorate.ensemble.voting.calibrated_policy import CalibratedPolicy
from quorate.ensemble.voting.member_votes import top_class
from quorate.ensemble.voting.vote_frame import decide_frame

MODELS = ("xgboost", "lightgbm", "nhits", "patchtst")

# SELL bars lose 2 %, BUY bars gain 3 %, HOLD bars 0.1 %; a round trip costs 0.2 %.
PLAIN = CalibratedPolicy(VoteSettings(), UNCHANGED, (-0.02, 0.001, 0.03), 0.002)

SETS = Conformal(0.1, 0.01, 0.1, np.linspace(0, 1, 201))

# Fitted here: the first fit imports a library that seeds `random`, which a strategy must not do.
LEARNED = np.random.default_rng(0).dirichlet([1, 1, 1], 60)
ISOTONIC = fit_isotonic(LEARNED, LEARNED.argmax(axis=1).astype(np.int8))


def votes_of(*scores):
    """One vote for each row of scores, an abstention for None."""
    votes = []
    for model, row in zip(MODELS, scores, strict=False):
        if row is None:
            votes.append(Abstention(model, "late"))
        else:
            action, score = top_class(np.array([row]))
            votes.append(Vote(model, Action(int(action[0])), float(score[0]), scores=row))
    return votes


BUY, SELL, EVEN = (0.1, 0.3, 0.6), (0.7, 0.2, 0.1), (0.3, 0.5, 0.2)


@pytest.mark.parametrize(
    ("votes", "policy", "action", "rule", "confidence", "expected"),
    [
        # 0.1 x -2 % + 0.3 x 0.1 % + 0.6 x 3 % = 1.63 %, less 0.2 %.
        (votes_of(BUY, BUY, BUY), PLAIN, Action.BUY, "calibrated", 0.6, 0.0143),
        # -1.4 % + 0.02 % + 0.3 % = -1.08 %: a short earns 1.08 % less 0.2 %.
        (votes_of(SELL, SELL, SELL), PLAIN, Action.SELL, "calibrated", 0.7, 0.0088),
        # -0.6 % + 0.05 % + 0.6 % = 0.05 %: less than the costs.
        (votes_of(EVEN, EVEN, EVEN), PLAIN, Action.HOLD, "below_return", 0.2, -0.0015),
        (votes_of(BUY, BUY, BUY), replace(PLAIN, net_return=0.015), Action.HOLD, "below_return", 0.6, 0.0143),
        (votes_of(BUY, BUY, BUY), replace(PLAIN, probability=0.61), Action.HOLD, "below_probability", 0.6, 0.0143),
        (votes_of(BUY, BUY, None, BUY), PLAIN, Action.BUY, "calibrated", 0.6, 0.0143),
        (votes_of(BUY, BUY, None, None), PLAIN, Action.HOLD, "no_quorum", 0.6, 0.0143),
        (votes_of(None, None), PLAIN, Action.HOLD, "no_votes", 0.0, None),
        # 1 - 0.6 = 0.4 and 1 - 0.3 = 0.7: a limit of 0.5 leaves BUY alone, 0.9 also HOLD, 0.3 no class.
        (votes_of(BUY, BUY, BUY), replace(PLAIN, conformal=replace(SETS, level=0.5), unambiguous=True),
         Action.BUY, "calibrated", 0.6, 0.0143),
        (votes_of(BUY, BUY, BUY), replace(PLAIN, conformal=SETS, unambiguous=True),
         Action.HOLD, "ambiguous", 0.6, 0.0143),
        (votes_of(BUY, BUY, BUY), replace(PLAIN, conformal=replace(SETS, level=0.7), unambiguous=True),
         Action.HOLD, "ambiguous", 0.6, 0.0143),
    ],
)  # fmt: skip
def test_each_rule(votes, policy, action, rule, confidence, expected):
    signal = decide(votes, 0.02, policy=policy)
    assert (signal.action, signal.rule, signal.policy) == (action, rule, "calibrated")
    assert signal.confidence == pytest.approx(confidence)
    assert signal.expected_return == (None if expected is None else pytest.approx(expected))


def test_votes_are_those_of_the_classic_vote_and_the_line_says_what_decided():
    votes = votes_of(BUY, BUY, SELL, EVEN)
    classic, calibrated = decide(votes, 0.08), decide(votes, 0.08, policy=PLAIN)
    assert (calibrated.votes, calibrated.base) == (classic.votes, classic.base)
    assert calibrated.rule == "calibrated"
    assert calibrated.line().partition(" | ")[0] == f"calibrated {calibrated.confidence:.0%}"
    assert calibrated.line().partition(" | ")[2] == classic.line().partition(" | ")[2]
    assert classic.policy == "classic"
    assert classic.to_json()["probabilities"] is None


def test_votes_without_three_scores_give_no_probabilities():
    signal = decide([Vote("xgboost", Action.BUY, 0.9)], 0.02, policy=PLAIN)
    assert (signal.action, signal.rule, signal.probabilities) == (Action.HOLD, "no_votes", None)


def test_json_names_the_classes_of_the_prediction_set():
    document = decide(votes_of(BUY, BUY, BUY), policy=replace(PLAIN, conformal=replace(SETS, level=0.25))).to_json()
    assert document["prediction_set"] == ["HOLD", "BUY"]
    assert document["policy"] == "calibrated"
    assert document["probabilities"] == pytest.approx(BUY)


@st.composite
def cases(draw):
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, bars = draw(st.integers(1, 5)), draw(st.integers(1, 12))
    names = [*MODELS, "logistic"][:n]
    tables = {name: random.dirichlet([1, 1, 1], bars) for name in names}
    for table in tables.values():
        table[random.random(bars) < 0.3] = np.nan
    maps = (UNCHANGED, Temperature(0.6, (0.2, 0.0, -0.3)), ISOTONIC)
    # Thresholds include values that occur, to test equality.
    policy = CalibratedPolicy(
        VoteSettings(quorum=draw(st.sampled_from([0.5, 0.75, 1.0]))),
        draw(st.sampled_from(maps)),
        (-0.02, draw(st.sampled_from([0.0, 0.003])), 0.02),
        draw(st.sampled_from([0.0, 0.0014])),
        conformal=draw(st.sampled_from([None, SETS, replace(SETS, level=0.6)])),
    )
    decided = decide_frame(tables, np.full(bars, 0.01), policy=policy)
    return (
        tables,
        replace(
            policy,
            probability=float(draw(st.sampled_from([0.0, *decided.confidence]))),
            net_return=draw(st.sampled_from([0.0, 0.002, -0.001])),
            unambiguous=policy.conformal is not None and draw(st.booleans()),
        ),
        random.choice([0.01, 0.08, np.nan], bars),
        n + draw(st.integers(0, 1)),
    )


@settings(max_examples=250)
@given(cases())
def test_frame_and_scalar_decide_the_same_bit_for_bit(case):
    tables, policy, volatility, members = case
    frame = decide_frame(tables, volatility, policy=policy, members=members)
    for bar in range(len(volatility)):
        votes = []
        for model, table in tables.items():
            action, score = top_class(table[bar : bar + 1])
            vote = Vote(model, Action(int(action[0])), float(score[0]), scores=tuple(table[bar].tolist()))
            votes.append(Abstention(model, "late") if np.isnan(score[0]) else vote)
        signal = decide(votes, float(volatility[bar]), policy=policy, members=members)
        assert signal.action == frame.action[bar]
        assert signal.confidence == frame.confidence[bar]
        assert signal.rule == frame.rule[bar]
        assert signal.consensus == frame.consensus[bar]
        assert signal.base == frame.base[bar]


def test_the_limit_of_each_bar_is_used():
    tables = {name: np.tile(BUY, (3, 1)) for name in MODELS}
    policy = replace(PLAIN, conformal=SETS, unambiguous=True)
    limit = np.array([0.5, 0.8, np.nan])
    frame = decide_frame(tables, np.full(3, 0.01), policy=policy, limit=limit)
    assert frame.rule.tolist() == ["calibrated", "ambiguous", "ambiguous"]
    assert frame.side.tolist() == [2, 2, 2]
