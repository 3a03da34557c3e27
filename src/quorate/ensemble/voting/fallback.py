"""Fallback decisions of a bundle none of whose models is available: the rules' actions, marked as such.

Confidence is derived from models' scores. Rules have no scores, so it is 0, on which the simulated account does not
enter. The vote's volatility gate and floor also need scores and do not apply.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from quorate.core.types import Abstention, Action, DecisionFrame, FloatArray, Signal
from quorate.ensemble.voting.vote_frame import Decisions
from quorate.features import Bars
from quorate.models.rules import rule_actions

#: The `rule` and the consensus of every decision made without models.
FALLBACK = "fallback_rules"

#: The consensus where the two rules contradict each other and the decision is HOLD.
CONTRADICTED = "fallback_rules_contradicted"


def fallback_decisions(bars: Bars) -> Decisions:
    """The rules' decision on each of n bars."""
    rules = rule_actions(bars)
    zeros = np.zeros(len(bars))
    return Decisions(
        action=rules.action,
        confidence=zeros,
        base=zeros.copy(),
        consensus=np.where(rules.contradicted, CONTRADICTED, FALLBACK),
        rule=np.full(len(bars), FALLBACK),
    )


def fallback_signal(bars: Bars, volatility: float, abstentions: tuple[Abstention, ...]) -> Signal:
    """The rules' decision at the newest bar; every member of the bundle abstains. A volatility of NaN is unknown."""
    newest = fallback_decisions(bars)
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
    decisions = fallback_decisions(bars)
    return DecisionFrame(
        symbol=bars.symbol,
        timeframe=bars.timeframe,
        time=bars.time,
        action=decisions.action,
        confidence=decisions.confidence,
        base=decisions.base,
        consensus=decisions.consensus,
        rule=decisions.rule,
        volatility=volatility,
        scores={model: np.full((len(bars), len(Action)), np.nan) for model in models},
        synthetic=synthetic,
    )
