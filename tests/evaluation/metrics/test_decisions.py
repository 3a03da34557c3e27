from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.types import Action, DecisionFrame
from quorate.ensemble.inference.bar_checks import TRAINING_SPAN
from quorate.ensemble.voting.vote import CONFLICT, VOLATILITY_HOLD
from quorate.evaluation.metrics.decisions import decision_figures


def frame(rows: list[tuple[Action, float, str, str]]) -> DecisionFrame:
    n = len(rows)
    actions, confidence, consensus, rule = zip(*rows, strict=True) if rows else ((), (), (), ())
    return DecisionFrame(
        symbol="A/USDT",
        timeframe="1h",
        time=np.arange(n),
        action=np.array(actions, np.int8),
        confidence=np.array(confidence, np.float64),
        base=np.array(confidence, np.float64),
        consensus=np.array(consensus, np.str_),
        rule=np.array(rule, np.str_),
        volatility=np.zeros(n),
    )


def test_hand_counted_bars() -> None:
    first = frame(
        [
            (Action.BUY, 0.95, "unanimous", "vote"),
            (Action.HOLD, 0.80, "unanimous" + VOLATILITY_HOLD, "volatility_gate"),
            (Action.SELL, 0.85, "strong", "vote"),
            (Action.HOLD, 0.0, CONFLICT, "conflict"),
        ]
    )
    second = frame(
        [
            (Action.HOLD, 0.4, "split", "no_quorum"),
            (Action.HOLD, 0.0, "", "no_votes"),
            (Action.BUY, 0.5, "", "fallback_rules"),
            (Action.HOLD, 0.3, "weak", "no_quorum"),
        ]
    )
    figures = decision_figures([first, second])
    assert (figures["bars"], figures["decided"]) == (8, 6)
    assert figures["actions"] == {"SELL": 1, "HOLD": 5, "BUY": 2}
    assert figures["coverage"] == 3 / 8
    assert figures["fallback"] == 1 / 8
    assert figures["consensus"]["unanimous" + VOLATILITY_HOLD] == 1
    assert figures["mix"] == pytest.approx(
        {"unanimous": 2 / 6, "strong": 1 / 6, CONFLICT: 1 / 6, "split": 1 / 6, "weak": 1 / 6}
    )
    assert sum(figures["rules"].values()) == 8


def test_fallback_rules_do_not_raise_the_models_confidence() -> None:
    figures = decision_figures([frame([(Action.BUY, 0.9, "strong", "vote"), (Action.BUY, 0.1, "", "fallback_rules")])])
    assert figures["mean_confidence"] == pytest.approx(0.9)


@pytest.mark.parametrize(
    "frames", [[], [frame([])], [frame([(Action.HOLD, 0.0, "", "no_votes"), (Action.HOLD, 0.0, "", TRAINING_SPAN)])]]
)
def test_nothing_decided_gives_nulls_with_reasons(frames: list[DecisionFrame]) -> None:
    figures = decision_figures(frames)
    assert figures["decided"] == 0
    assert figures["mix"] == {}
    assert figures["mean_confidence"] is None
    assert figures["missing"]["mean_confidence"] == "no BUY or SELL"
    json.dumps(figures, allow_nan=False)


def test_shares_have_intervals_over_days() -> None:
    """Every bar of a day is alike, as in a market that moves as one: days are what is counted, not bars."""
    days = 40
    names = np.repeat(np.where(np.arange(days) % 4 == 0, "unanimous", "strong"), 24)
    made = frame([(Action.BUY, 0.8, str(name), "vote") for name in names])
    figures = decision_figures([replace(made, time=np.arange(days * 24) * HOUR_MS)])
    low, high = figures["mix_ci"]["unanimous"]
    assert low < figures["mix"]["unanimous"] == 0.25 < high
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.25 * 0.75 / days), rel=0.2)
    assert figures["coverage_ci"] == [1.0, 1.0]
    assert figures["fallback_ci"] == [0.0, 0.0]
    assert figures["mean_confidence_ci"] == pytest.approx([0.8, 0.8])


def test_bars_on_which_no_model_voted_are_not_decided():
    """Bars of the training span, before a series and without a vote count as bars, not as decisions."""
    rules = ["vote", "before_series", "training_span", "no_votes", "fallback_rules", "below_floor"]
    n = len(rules)
    frame = DecisionFrame(
        symbol="A",
        timeframe="1h",
        time=np.arange(n) * HOUR_MS,
        action=np.ones(n, np.int8),
        confidence=np.zeros(n),
        base=np.zeros(n),
        consensus=np.full(n, "strong"),
        rule=np.array(rules),
        volatility=np.zeros(n),
    )
    figures = decision_figures([frame])
    assert (figures["bars"], figures["decided"]) == (6, 2)
    assert figures["consensus"] == {"strong": 2}
