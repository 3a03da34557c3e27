"""Decisions of a stack: a table of cases, one bar against frames, and missing members."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.types import Abstention, Action, Forecast
from quorate.ensemble.stack import Linear, SignProbability, Stack

CURVE = SignProbability(np.array([0.0, 0.01]), np.array([0.5, 0.7]))
STACK = Stack("ridge", ("lightgbm", "xgboost"), Linear(np.array([0.5, 0.5])), CURVE, 0.0014)


def returns_of(*returns):
    return {name: np.array([value]) for name, value in zip(STACK.members, returns, strict=True)}


@pytest.mark.parametrize(
    ("returns", "action", "confidence", "rule"),
    [
        ((0.004, 0.002), Action.BUY, 0.56, "predicted_return"),  # 0.3 % of 1 %: 0.5 + 0.06
        ((-0.004, -0.002), Action.SELL, 0.56, "predicted_return"),
        ((0.0014, 0.0014), Action.HOLD, 0.528, "within_cost"),  # exactly a round trip's cost
        ((0.00141, 0.00141), Action.BUY, 0.5282, "predicted_return"),
        ((0.01, -0.01), Action.HOLD, 0.5, "within_cost"),
        ((0.05, 0.05), Action.BUY, 0.7, "predicted_return"),
        ((np.nan, 0.05), Action.HOLD, 0.0, "member_missing"),
        ((np.inf, 0.05), Action.HOLD, 0.0, "member_missing"),
    ],
)
def test_a_table(returns, action, confidence, rule):
    made = STACK.decide(returns_of(*returns))
    assert made.action[0] == action
    assert made.confidence[0] == pytest.approx(confidence)
    assert made.rule[0] == rule
    assert np.isfinite(made.predicted[0]) == (rule != "member_missing")


@given(st.lists(st.tuples(st.floats(-0.1, 0.1), st.floats(-0.1, 0.1)), min_size=1, max_size=30))
def test_one_bar_equals_the_frame(rows):
    columns = np.array(rows)
    frame = STACK.decide({"lightgbm": columns[:, 0], "xgboost": columns[:, 1]})
    for place, (first, second) in enumerate(rows):
        signal = STACK.signal(
            [
                Forecast("lightgbm", first, Action(int(STACK.actions(np.array([first]))[0]))),
                Forecast("xgboost", second, Action(int(STACK.actions(np.array([second]))[0]))),
            ],
            0.02,
        )
        assert (signal.action, signal.rule) == (frame.action[place], frame.rule[place])
        assert (signal.confidence, signal.predicted_return) == (frame.confidence[place], frame.predicted[place])


def test_a_signal_has_the_prediction_of_each_member():
    signal = STACK.signal([Forecast("lightgbm", 0.004, Action.BUY), Forecast("xgboost", 0.002, Action.BUY)], 0.0324)
    assert signal.line() == "stack | lgbm:+0.40%, xgb:+0.20%, together:+0.30% | vol:3.24%"
    document = json.loads(json.dumps(signal.to_json(), allow_nan=False))
    assert document["action"] == "BUY"
    assert document["predicted_return"] == pytest.approx(0.003)
    assert document["policy"] == "stack"
    assert document["votes"][0] == {
        "model": "lightgbm",
        "action": "BUY",
        "score": None,
        "scores": None,
        "probabilities": None,
        "predicted_return": 0.004,
    }


def test_with_a_missing_member_the_signal_is_hold_with_the_reason():
    signal = STACK.signal([Forecast("lightgbm", 0.05, Action.BUY), Abstention("xgboost", "exceeded 250 ms")], np.nan)
    assert (signal.action, signal.rule, signal.confidence) == (Action.HOLD, "member_missing", 0.0)
    document = json.loads(json.dumps(signal.to_json(), allow_nan=False))
    assert document["predicted_return"] is None
    assert document["abstentions"] == [{"model": "xgboost", "reason": "exceeded 250 ms"}]
    assert [vote["model"] for vote in document["votes"]] == ["lightgbm"]
    assert signal.line() == "stack | lgbm:+5.00%, xgb:ABSTAIN | vol:unknown"


def test_members_unknown_to_the_combiner_are_ignored():
    known = STACK.decide(returns_of(0.004, 0.002))
    beside = STACK.decide({"stranger": np.array([9.0]), **returns_of(0.004, 0.002)})
    assert known.predicted == beside.predicted
