"""The consensus vote: worked examples of the specification, limits of each rule, and frames against single bars."""

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate import Abstention, Action, Vote, decide
from quorate.core.errors import VoteError
from quorate.core.settings import VoteSettings
from quorate.ensemble.voting.independence import pair_key
from quorate.ensemble.voting.member_votes import top_action
from quorate.ensemble.voting.policies import POLICIES
from quorate.ensemble.voting.vote import CONFLICT, VOLATILITY_HOLD, consensus_name, quorum_count
from quorate.ensemble.voting.vote_frame import decide_frame

B, H, S = Action.BUY, Action.HOLD, Action.SELL
MODELS = ("xgboost", "lightgbm", "nhits", "patchtst")


def votes(*pairs):
    return [Vote(model, action, score / 100) for model, (action, score) in zip(MODELS, pairs, strict=False)]


@pytest.mark.parametrize(
    ("ballot", "volatility", "action", "percent", "consensus"),
    [
        (votes((B, 78), (B, 82), (B, 85), (B, 74)), 0.02, B, 95, "unanimous"),
        (votes((B, 76), (B, 81), (B, 79), (H, 68)), 0.0324, B, 85, "strong"),
        (votes((B, 72), (S, 70), (B, 68), (S, 65)), 0.02, H, 0, CONFLICT),
        (votes((B, 68), (B, 68), (B, 68), (B, 68)), 0.07, H, 82, "unanimous_volatility_hold"),
    ],
)
def test_the_four_worked_examples(ballot, volatility, action, percent, consensus):
    signal = decide(ballot, volatility=volatility)
    assert (signal.action, round(signal.confidence * 100), signal.consensus) == (action, percent, consensus)


def test_confidence_is_capped_exactly():
    assert decide(votes((B, 78), (B, 82), (B, 85), (B, 74)), 0.02).confidence == 0.95
    assert decide(votes((B, 76), (B, 81), (B, 79), (H, 68)), 0.0324).confidence == 0.85


def test_line_of_the_specification():
    signal = decide(votes((B, 76), (B, 81), (B, 79), (H, 68)), 0.0324)
    assert signal.line() == "strong | xgb:BUY 76%, lgbm:BUY 81%, nhits:BUY 79%, patchtst:HOLD 68% | vol:3.24%"


@pytest.mark.parametrize(
    ("ballot", "kwargs", "action", "rule", "consensus"),
    [
        # Quorum: two of four is not enough, and an abstention does not lower it.
        (votes((B, 95), (B, 95), (H, 40), (S, 40)), {}, H, "no_quorum", "split"),
        (
            [*votes((B, 95), (B, 95)), Abstention("nhits", "x"), Abstention("patchtst", "x")],
            {},
            H,
            "no_quorum",
            "split",
        ),
        ([*votes((B, 95), (B, 95), (B, 95)), Abstention("patchtst", "late")], {}, B, "vote", "strong"),
        (votes((B, 95), (B, 95)), {"members": 4}, H, "no_quorum", "split"),
        (votes((B, 95), (B, 95)), {}, B, "vote", "strong"),
        (votes((B, 99)), {"members": 1}, H, "below_floor", "weak"),
        ([], {"members": 4}, H, "no_votes", CONFLICT),
        # With a lowered quorum two votes act from 0.65; names of the consensus stay.
        (votes((B, 82), (B, 82), (H, 40), (S, 40)), {"policy": VoteSettings(quorum=0.5)}, B, "vote", "split"),
        (votes((B, 81), (B, 81), (H, 40), (S, 40)), {"policy": VoteSettings(quorum=0.5)}, H, "below_floor", "split"),
        (votes((B, 99), (B, 99), (S, 99), (S, 99)), {"policy": VoteSettings(quorum=0.5)}, H, "conflict", CONFLICT),
        # Weights do not break a tie of counts, and a large weight does not outvote the plurality.
        (votes((B, 90), (S, 90)), {"weights": {"xgboost": 9, "lightgbm": 1}}, H, "conflict", CONFLICT),
        (votes((B, 90), (S, 90), (S, 90)), {"weights": {"xgboost": 9, "lightgbm": 1}}, H, "conflict", CONFLICT),
        # Floor: 0.69 is enough, just below is not.
        (votes((B, 57.5), (B, 57.5), (B, 57.5), (B, 57.5)), {}, B, "vote", "unanimous"),
        (votes((B, 57.4), (B, 57.4), (B, 57.4), (B, 57.4)), {}, H, "below_floor", "unanimous"),
        # The gate: on the base, closed by an unknown volatility, never for a HOLD.
        (votes((B, 70), (B, 70), (B, 70), (B, 70)), {"volatility": 0.07}, B, "vote", "unanimous"),
        (votes((B, 69), (B, 69), (B, 69), (B, 69)), {"volatility": 0.05}, B, "vote", "unanimous"),
        (votes((B, 99), (B, 99), (B, 99)), {"volatility": None}, H, "volatility_gate", "strong_volatility_hold"),
        (votes((B, 99), (B, 99), (B, 99)), {"volatility": math.nan}, H, "volatility_gate", "strong_volatility_hold"),
        (votes((H, 99), (H, 99), (H, 99)), {"volatility": math.nan}, H, "vote", "strong"),
    ],
)
def test_each_rule(ballot, kwargs, action, rule, consensus):
    signal = decide(ballot, **{"volatility": 0.02, **kwargs})
    assert (signal.action, signal.rule, signal.consensus) == (action, rule, consensus)


def test_a_score_that_is_not_finite_abstains_with_its_reason():
    signal = decide([Vote("xgboost", B, math.nan), *votes((B, 90))[1:]], 0.02, members=4)
    assert signal.abstentions == (Abstention("xgboost", "score is nan"),)


@pytest.mark.parametrize(
    ("ballot", "kwargs", "words"),
    [
        (votes((B, 90)) * 2, {}, "xgboost twice"),
        (votes((B, 150)), {}, "score 1.5"),
        (votes((B, -1)), {}, "score -0.01"),
        (votes((B, 90), (B, 90)), {"members": 1}, "2 votes"),
        (votes((B, 90)), {"weights": {"xgboost": 0.0}}, "weight 0"),
        (votes((B, 90)), {"weights": {"xgboost": math.inf}}, "weight inf"),
    ],
)
def test_invalid_votes_are_an_error(ballot, kwargs, words):
    with pytest.raises(VoteError, match=words):
        decide(ballot, 0.02, **kwargs)


scores_or_none = st.one_of(st.none(), st.tuples(*[st.floats(0.01, 1.0)] * 3))
volatilities = st.one_of(st.sampled_from([math.nan, math.inf, 0.05, 0.0500001]), st.floats(0, 0.2))


@st.composite
def cases(draw):
    members = draw(st.integers(1, 7))
    present = draw(st.integers(0, members))
    bars = draw(st.integers(1, 6))
    tables = {}
    for index in range(present):
        rows = [draw(scores_or_none) for _ in range(bars)]
        table = np.array([[np.nan] * 3 if row is None else [x / sum(row) for x in row] for row in rows])
        tables[f"m{index}"] = np.clip(table, 0, 1)
    weights = {name: draw(st.sampled_from([0.2, 0.25, 0.3, 1.0, 7.5])) for name in tables}
    alike = {pair_key(*pair): draw(st.sampled_from([-0.4, 0.0, 0.5, 1.0])) for pair in combinations(tables, 2)}
    policy = VoteSettings(
        weights=weights,
        quorum=draw(st.sampled_from([0.0, 0.5, 0.75, 1.0])),
        quorum_of=draw(st.sampled_from(["members", "independent"])),
        correlation=alike,
    )
    return tables, np.array([draw(volatilities) for _ in range(bars)]), policy, members


@settings(max_examples=400)
@given(cases())
def test_frame_and_scalar_decide_the_same_bit_for_bit(case):
    tables, volatility, policy, members = case
    frame = decide_frame(tables, volatility, policy=policy, members=members)
    for bar in range(len(volatility)):
        signal = decide(scalar_votes(tables, bar), float(volatility[bar]), policy=policy, members=members)
        assert frame.action[bar] == signal.action
        assert frame.confidence[bar] == signal.confidence
        assert frame.base[bar] == signal.base
        assert frame.consensus[bar] == signal.consensus
        assert frame.rule[bar] == signal.rule


@settings(max_examples=200)
@given(cases(), st.sampled_from([0.2, 3.0, 5.0]))
def test_an_action_needs_plurality_and_quorum_whatever_the_weights(case, heavier):
    tables, volatility, policy, members = case
    policy = VoteSettings(weights={name: w * heavier ** (i % 4) for i, (name, w) in enumerate(policy.weights.items())})
    for bar in range(len(volatility)):
        cast = scalar_votes(tables, bar)
        signal = decide(cast, float(volatility[bar]), policy=policy, members=members)
        if signal.action != H:
            counts = [sum(v.action == a for v in cast if isinstance(v, Vote)) for a in Action]
            assert counts[signal.action] > max(c for a, c in zip(Action, counts, strict=True) if a != signal.action)
            assert counts[signal.action] >= math.ceil(0.75 * members)
            assert signal.confidence >= 0.69 - 1e-9


@settings(max_examples=200)
@given(cases(), st.integers(1, 3))
def test_an_abstention_does_not_change_the_decision(case, absent):
    """A model that abstains and one that is missing give the same decision."""
    tables, volatility, policy, members = case
    members += absent
    empty = {f"absent{i}": np.full((len(volatility), 3), np.nan) for i in range(absent)}
    without = decide_frame(tables, volatility, policy=policy, members=members)
    among = decide_frame({**empty, **tables}, volatility, policy=policy, members=members)
    for one, other in zip(without, among, strict=True):
        np.testing.assert_array_equal(one, other)
    for bar, value in enumerate(volatility.tolist()):
        cast = scalar_votes(tables, bar)
        plain = decide(cast, value, policy=policy, members=members)
        for place in (0, len(cast) // 2, len(cast)):
            more = [Abstention(f"absent{i}", "late") for i in range(absent)]
            signal = decide([*cast[:place], *more, *cast[place:]], value, policy=policy, members=members)
            assert {a.model for a in signal.abstentions} - {a.model for a in plain.abstentions} == set(empty)
            assert replace(signal, abstentions=plain.abstentions) == plain


@settings(max_examples=200)
@given(cases(), st.lists(st.floats(0.01, 100), min_size=7, max_size=7))
def test_weights_do_not_break_a_tie_of_counts(case, weights):
    tables, volatility, policy, members = case
    policy = replace(policy, weights={name: weights[i] for i, name in enumerate(tables)})
    frame = decide_frame(tables, volatility, policy=policy, members=members)
    for bar in range(len(volatility)):
        cast = scalar_votes(tables, bar)
        counts = sorted(sum(v.action == a for v in cast if isinstance(v, Vote)) for a in Action)
        if counts[-1] == counts[-2]:
            assert frame.action[bar] == H
            assert frame.confidence[bar] == 0
            assert frame.consensus[bar] == CONFLICT


def search(n, policy, bars=60_000):
    """Decisions on random scores of n models with different degrees of agreement."""
    random = np.random.default_rng(n)
    common = random.normal(size=(bars, 3)) * random.choice([0.0, 1.0, 3.0], size=(bars, 1))
    tables = {}
    for model in ("xgboost", "lightgbm", "nhits", "patchtst", "logistic")[:n]:
        logits = common + random.normal(size=(bars, 3)) * random.choice([0.3, 1.0, 3.0], size=(bars, 1))
        powers = np.exp(logits)
        tables[model] = powers / powers.sum(axis=1, keepdims=True)
        tables[model][random.random(bars) < 0.2] = np.nan
    volatility = np.where(random.random(bars) < 0.05, np.nan, random.uniform(0, 0.1, bars))
    return decide_frame(tables, volatility, policy=policy), volatility


@pytest.mark.parametrize("name", list(POLICIES))
@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_every_rule_holds_some_bars_and_passes_others(n, name):
    """Each rule applies to some possible scores and not to others."""
    chosen = POLICIES[name]
    found, volatility = search(n, chosen)
    rules, acted = set(found.rule), np.isin(found.action, (B, S))
    assert rules == {"vote", "conflict", "no_votes", "no_quorum", "volatility_gate", "below_floor"} - (
        # Half of two models is one, and one vote is at least a plurality of one.
        {"no_quorum"} if n == 2 and name == "lowered" else set()
    )
    assert set(found.action) == {B, H, S}
    # Some HOLDs are voted for.
    assert ((found.action == H) & (found.rule == "vote")).any()
    # The gate passes some bars of high volatility and holds none of low volatility.
    wild, calm = volatility > chosen.volatility_limit, volatility <= chosen.volatility_limit
    assert (acted & wild).any()
    assert not (acted & np.isnan(volatility)).any()
    assert not (calm & (found.rule == "volatility_gate")).any()
    # Each consensus acts on some bars, and is held by the floor and by the gate on others.
    quorum = quorum_count(chosen.quorum, n)
    for k in range(quorum, n + 1):
        consensus = consensus_name(k, n)
        if consensus == "weak":
            # One of two votes reaches at most 0.6, so it never acts, whatever the quorum.
            assert not (acted & (found.consensus == consensus)).any()
            continue
        assert (acted & (found.consensus == consensus)).any(), consensus
        assert ((found.rule == "below_floor") & (found.consensus == consensus)).any(), consensus
        assert ((found.rule == "volatility_gate") & (found.consensus == consensus + VOLATILITY_HOLD)).any(), consensus
    # All names for n models occur.
    names = {consensus_name(k, n) for k in range(1, n + 1)}
    assert names <= set(found.consensus)


SCORES = np.array([[0.1, 0.2, 0.7], [0.3, 0.4, 0.3]])


@pytest.mark.parametrize(
    ("tables", "kwargs", "words"),
    [
        ({"xgboost": SCORES[:1]}, {}, r"scores of shape \(1, 3\); expected \(2, 3\)"),
        ({"xgboost": SCORES[:, :2]}, {}, r"scores of shape \(2, 2\)"),
        ({"xgboost": SCORES + 0.5}, {}, "a score outside 0 to 1"),
        ({"xgboost": SCORES, "lightgbm": SCORES}, {"members": 1}, "found 2 votes on a bar; expected at most 1"),
    ],
)
def test_invalid_scores_of_a_frame_are_an_error(tables, kwargs, words):
    with pytest.raises(VoteError, match=words):
        decide_frame(tables, np.array([0.02, 0.02]), **kwargs)


def test_precedence_of_weights_vote_then_argument_then_policy():
    cast = [Vote("xgboost", B, 0.9, weight=0.4), Vote("lightgbm", B, 0.6), Vote("nhits", B, 0.5)]
    signal = decide(cast, 0.02, weights={"xgboost": 9.0, "lightgbm": 0.1}, policy=VoteSettings(weights={"nhits": 0.5}))
    assert signal.base == pytest.approx((0.4 * 0.9 + 0.1 * 0.6 + 0.5 * 0.5) / 1.0)


def test_the_lowered_policy_acts_on_two_of_four_votes():
    assert POLICIES["classic"] == VoteSettings()
    two = votes((B, 95), (B, 95), (H, 40), (S, 40))
    assert decide(two, 0.02).action == decide(two, 0.02, policy=POLICIES["classic"]).action == H
    assert decide(two, 0.02, policy=POLICIES["lowered"]).action == B


def scalar_votes(tables, bar):
    votes = []
    for name, table in tables.items():
        row = table[bar]
        if np.isfinite(row).all():
            best = top_action(row.tolist())
            votes.append(Vote(name, best, float(row[best])))
        else:
            votes.append(Abstention(name, "not finite"))
    return votes
