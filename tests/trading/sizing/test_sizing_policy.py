"""Sizing policies and their inputs, by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.core.clock import HOUR_MS
from quorate.core.errors import TradingError
from quorate.core.types import Action, DecisionFrame, Signal, Vote
from quorate.trading.sizing import (
    CONTEXT,
    SHARES,
    AccountState,
    Overlay,
    SizingPolicy,
    frame_contexts,
    full_context,
    signal_context,
)

FLAT = AccountState()


def linear(coefficients, inputs=("confidence",), constant=(0.0,) * 5):
    """A policy of one layer on inputs as they are."""
    weights = np.array(coefficients, float).reshape(5, len(inputs))
    ones = np.ones(len(inputs))
    return SizingPolicy(inputs, 0 * ones, ones, ((weights, np.array(constant, float)),))


def context(**known):
    return np.array([known.get(name, math.nan) for name in CONTEXT])


def test_the_largest_output_names_the_share():
    # Scores 1 - c, 0.6, 0.7 c, 0, -1: at c = 0.2 the first, at 0.5 the second, at 0.9 the third is the largest.
    policy = linear([-1, 0, 0.7, 0, 0], constant=(1, 0.6, 0, 0, -1))
    assert [policy.share(context(confidence=c)) for c in (0.2, 0.5, 0.9)] == [1.0, 0.75, 0.5]


def test_a_hidden_layer_is_tanh_and_inputs_are_standardised_and_cut():
    hidden = (np.array([[2.0]]), np.array([0.5]))
    last = (np.array([[0.0], [0.0], [0.0], [0.0], [1.0]]), np.array([0.0, 0.0, 0.0, 0.0, 0.1]))
    policy = SizingPolicy(("volatility",), np.array([0.02]), np.array([0.01]), (hidden, last))
    expected = math.tanh(2 * (0.03 - 0.02) / 0.01 + 0.5) + 0.1
    assert policy.scores(context(volatility=0.03))[4] == pytest.approx(expected)
    far = policy.scores(context(volatility=9.0))[4]
    assert far == pytest.approx(math.tanh(2 * 4 + 0.5) + 0.1)
    assert policy.share(context(volatility=0.0)) == 1.0  # tanh(-3.5) + 0.1 is below the others' 0


def test_without_evidence_or_a_known_context_the_whole_stake():
    assert linear([0] * 5).share(context(confidence=0.9)) == 1.0
    zero = linear([0, 0, 0, 0, 1])
    assert zero.share(context(confidence=0.9)) == 0.0
    assert zero.share(context()) == 1.0


def test_json_gives_the_same_policy_back():
    policy = linear(np.arange(10.0), ("lean", "held"), (0.1, 0.2, 0.3, 0.4, 0.5))
    again = SizingPolicy.from_json(policy.to_json())
    assert (again.digest, again.inputs) == (policy.digest, policy.inputs)
    assert SizingPolicy.from_json(SizingPolicy.constant(0.25).to_json()).share(context()) == 0.25


@pytest.mark.parametrize(
    "change",
    [
        {"inputs": ["tomorrow"]},
        {"inputs": []},
        {"scale": [0.0]},
        {"mean": [float("nan")]},
        {"layers": []},
        {"layers": [{"weights": [[1.0]], "bias": [0.0]}]},
        {"layers": "none"},
        {"mean": None},
    ],
)
def test_another_document_is_refused(change):
    with pytest.raises(TradingError, match="sizing policy"):
        SizingPolicy.from_json({**linear([1, 2, 3, 4, 5]).to_json(), **change})


def test_the_newest_policy_that_may_be_used_decides():
    overlay = Overlay(((1_000, SizingPolicy.constant(0.5)), (2_000, SizingPolicy.constant(0.25))))
    decision = np.zeros(6)
    assert [overlay.share(time, decision, FLAT) for time in (999, 1_000, 1_999, 2_000)] == [1.0, 0.5, 0.5, 0.25]
    assert overlay.share(2_000, None, FLAT) == 1.0
    for entries in ((), ((2, SizingPolicy.constant(1.0)), (1, SizingPolicy.constant(1.0)))):
        with pytest.raises(TradingError, match="increasing times"):
            Overlay(entries)


def signal(action, *scores, volatility=0.03):
    votes = tuple(Vote(f"m{number}", action, 0.5, scores=each) for number, each in enumerate(scores))
    return Signal(action, 0.8, "strong", "vote", 0.7, volatility, votes, symbol="BTC/USDT:USDT")


def test_the_context_of_a_sell_by_hand():
    found = signal_context(signal(Action.SELL, (0.6, 0.3, 0.1), (0.2, 0.5, 0.3)))
    # Leads of SELL over BUY: 0.5 and -0.1.
    assert found == pytest.approx([0.8, 0.7, 0.2, 0.5, 0.03, -1.0])
    assert np.isnan(signal_context(signal(Action.BUY))[2:4]).all()
    assert full_context(found, AccountState(0.1, 0.5))[-2:].tolist() == [0.1, 0.5]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 4))
def test_a_frame_has_the_contexts_of_its_signals(seed, members):
    random = np.random.default_rng(seed)
    n = 7
    scores = {f"m{number}": random.dirichlet(np.ones(3), n) for number in range(members)}
    for table in scores.values():
        table[random.random(n) < 0.3] = np.nan
    action = random.integers(0, 3, n).astype(np.int8)
    confidence, base, text = random.random(n), random.random(n), np.full(n, "vote")
    volatility = np.where(random.random(n) < 0.3, np.nan, random.random(n))
    frame = DecisionFrame(
        "BTC/USDT:USDT", "1h", np.arange(n) * HOUR_MS, action, confidence, base, text, text, volatility, scores
    )
    found = frame_contexts(frame)
    for row in range(n):
        if action[row] == Action.HOLD:
            assert np.isnan(found[row]).all()
            continue
        votes = [Vote(m, Action.BUY, 0.5, scores=tuple(t[row])) for m, t in scores.items() if np.isfinite(t[row, 0])]
        known = None if np.isnan(volatility[row]) else volatility[row]
        decided = Signal(Action(int(action[row])), confidence[row], "", "", base[row], known, tuple(votes))
        np.testing.assert_allclose(found[row], signal_context(decided), rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_every_share_is_one_of_five(seed):
    random = np.random.default_rng(seed)
    layers = ((random.normal(size=(3, 8)), random.normal(size=3)), (random.normal(size=(5, 3)), random.normal(size=5)))
    policy = SizingPolicy(CONTEXT, random.normal(size=8), random.random(8) + 0.1, layers)
    assert policy.share(random.normal(scale=10.0 ** random.integers(-3, 9), size=8)) in SHARES
