"""What a bundle says when no model is available: the rules' action, marked as theirs, and no confidence at all.

A confidence is a claim that models make, by their scores. Rules have none, so it is 0, which the simulated account
takes as a reason not to enter. For the same reason the vote's gate and floor, which look at scores, do not apply.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from quorate.core.types import Abstention, Action, DecisionFrame, FloatArray, Signal
from quorate.ensemble.voting.vote_frame import Decisions
from quorate.features import Bars
from quorate.models.rules import rule_actions

#: The `rule` of every decision that was taken without models, and its consensus.
FALLBACK = "fallback_rules"

#: The consensus where the two rules contradict each other and the answer is HOLD.
CONTRADICTED = "fallback_rules_contradicted"


def fall_back(bars: Bars) -> Decisions:
    """The rules' decision on each of n bars."""
    said = rule_actions(bars)
    nothing = np.zeros(len(bars))
    return Decisions(
        action=said.action,
        confidence=nothing,
        base=nothing.copy(),
        consensus=np.where(said.contradicted, CONTRADICTED, FALLBACK),
        rule=np.full(len(bars), FALLBACK),
    )


def fallback_signal(bars: Bars, volatility: float, abstentions: tuple[Abstention, ...]) -> Signal:
    """The rules' decision at the newest bar; every member of the bundle abstains. A volatility of NaN is not known."""
    newest = fall_back(bars)
    return Signal(
        action=Action(int(newest.action[-1])),
        confidence=0.0,
        consensus=str(newest.consensus[-1]),
        rule=FALLBACK,
        base=0.0,
        volatility=volatility if math.isfinite(volatility) else None,
        votes=(),
        abstentions=abstentions,
        mode="none",
        symbol=bars.symbol,
        time=int(bars.time[-1]),
    )


def fallback_frame(bars: Bars, volatility: FloatArray, models: Sequence[str], synthetic: bool) -> DecisionFrame:
    """The rules' decision on every bar; every model of a vote abstains."""
    said = fall_back(bars)
    return DecisionFrame(
        symbol=bars.symbol,
        timeframe=bars.timeframe,
        time=bars.time,
        action=said.action,
        confidence=said.confidence,
        base=said.base,
        consensus=said.consensus,
        rule=said.rule,
        volatility=volatility,
        scores={model: np.full((len(bars), len(Action)), np.nan) for model in models},
        synthetic=synthetic,
    )
