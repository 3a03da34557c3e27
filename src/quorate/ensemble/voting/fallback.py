"""Fallback decisions of a bundle none of whose models is available: the rules' actions, marked as such.

Confidence is derived from models' scores. Rules have no scores, so it is 0, on which the simulated account does not
enter. The vote's volatility gate and floor also need scores and do not apply.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from quorate.core.types import Abstention, Action, DecisionFrame, FloatArray, Signal
from quorate.ensemble.voting.closed_policy import CLOSED, ClosedPolicy
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


def fallback_signal(
    bars: Bars, volatility: float, abstentions: tuple[Abstention, ...], closed: ClosedPolicy | None = None
) -> Signal:
    """The rules' decision at the newest bar; every member of the bundle abstains. A volatility of NaN is unknown.

    A closed policy holds the rules too.
    """
    newest = fallback_decisions(bars)
    signal = Signal(
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
    return signal if closed is None else closed.close(signal)


def fallback_frame(
    bars: Bars,
    volatility: FloatArray,
    models: Sequence[str],
    synthetic: bool,
    closed: ClosedPolicy | None = None,
) -> DecisionFrame:
    """The rules' decision on every bar; every model of a vote abstains. A closed policy holds the rules too."""
    decisions = fallback_decisions(bars)
    if closed is not None:
        decisions = decisions._replace(action=np.full(len(bars), Action.HOLD, np.int8))
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
        policy="classic" if closed is None else CLOSED,
    )
