"""Baseline strategies: other ways to decide on the same bars, traded with the same account settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from quorate.core.settings import Settings, TargetSettings, VoteSettings
from quorate.core.types import Action, ActionArray, Candles, DecisionFrame, FloatArray
from quorate.ensemble.voting.vote_frame import decide_frame
from quorate.evaluation.backtest_setup import BacktestSetup
from quorate.evaluation.labelled_predictions import LabelledPredictions
from quorate.features.bars import Bars
from quorate.models.rules import rule_actions
from quorate.targets import ForwardClass
from quorate.targets.returns import forward_return
from quorate.trading.backtest.backtest_result import BacktestResult

#: Rule of the bars of a model that cannot tell sides.
NO_SIDE = "no_side"

#: How the fallback rules decide.
RULES_ABOUT = "the fallback rules (RSI and moving averages), used if no model can vote"


@dataclass(frozen=True, slots=True, eq=False)
class BaselineStrategy:
    """Decisions and trades of a baseline.

    Attributes:
        sample: the ensemble's labelled rows, with the baseline's decisions.
        result: backtest of its decisions.
        about: how it decides, one sentence.
        scores: (n, 3) on the sample's rows; None if it has decisions only.
    """

    sample: LabelledPredictions
    result: BacktestResult
    about: str
    scores: FloatArray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SingleModel:
    """Scores of one model that is evaluated on its own.

    Attributes:
        scores: symbol -> (bars, 3), aligned with the ensemble's frame; a NaN row is an abstention.
        about: what the model is, a phrase.
        directional: whether it can tell sides; a model of volatility alone holds on every bar.
    """

    scores: Mapping[str, FloatArray]
    about: str
    directional: bool = True


def momentum_strategy(
    frames: Mapping[str, DecisionFrame], setup: BacktestSetup, target: TargetSettings
) -> BaselineStrategy:
    """Momentum: the sign of the past return, if it is beyond the target's band."""
    decisions = {symbol: momentum_frame(frame, setup.candles[symbol], target) for symbol, frame in frames.items()}
    return _baseline(decisions, setup, target, momentum_about(target))


def rules_strategy(
    frames: Mapping[str, DecisionFrame], setup: BacktestSetup, target: TargetSettings
) -> BaselineStrategy:
    """The fallback rules, which decide in production if no model can vote."""
    decisions = {symbol: rules_frame(frame, setup.candles[symbol]) for symbol, frame in frames.items()}
    return _baseline(decisions, setup, target, RULES_ABOUT)


def single_model_strategy(
    name: str,
    model: SingleModel,
    frames: Mapping[str, DecisionFrame],
    setup: BacktestSetup,
    settings: Settings,
    members: int,
) -> BaselineStrategy:
    """One model alone, see `single_model_frame`.

    Args:
        name: of the model.
        model: its scores.
        frames: symbol -> decisions of the ensemble.
        setup: of the backtest.
        settings: target and vote policy of the ensemble.
        members: number of members of the ensemble.
    """
    decisions = {
        symbol: single_model_frame(frame, name, model.scores[symbol], members, settings.vote)
        for symbol, frame in frames.items()
    }
    if not model.directional:
        decisions = {
            symbol: replace(made, action=np.full(len(made), Action.HOLD, np.int8), rule=np.full(len(made), NO_SIDE))
            for symbol, made in decisions.items()
        }
    how = "it trades as if every member had its scores" if model.directional else "it has no side and never trades"
    about = f"{model.about}; {how}"
    baseline = _baseline(decisions, setup, settings.target, about)
    return replace(baseline, scores=baseline.sample.members[name])


def _baseline(
    decisions: Mapping[str, DecisionFrame], setup: BacktestSetup, target: TargetSettings, about: str
) -> BaselineStrategy:
    sample = LabelledPredictions.of(decisions, setup.candles, ForwardClass(target.horizon, target.band))
    return BaselineStrategy(sample, setup.trade(decisions), about)


def momentum_about(target: TargetSettings) -> str:
    """How momentum decides."""
    return f"the sign of the last {target.horizon} bars' return, if beyond {target.band:.2%}"


def momentum_frame(frame: DecisionFrame, candles: Candles, target: TargetSettings) -> DecisionFrame:
    """Momentum decisions: BUY after a rise beyond the band, SELL after a fall beyond it, else HOLD.

    The return over the last `horizon` bars is compared with the target's band; its size is the confidence. The decision
    is HOLD if a past bar is missing.

    Args:
        frame: bars to decide on.
        candles: of the same market; those before the frame are the past of its first bars.
        target: horizon and band.
    """
    past = np.full(len(candles), np.nan)
    past[target.horizon :] = forward_return(candles, target.horizon)[: max(0, len(past) - target.horizon)]
    earned = past[np.searchsorted(candles.time, frame.time)]
    action = np.full(len(frame), Action.HOLD, np.int8)
    action[earned > target.band] = Action.BUY
    action[earned < -target.band] = Action.SELL
    return rule_frame(frame, action, np.minimum(np.abs(earned), 1.0), "momentum")


def rules_frame(frame: DecisionFrame, candles: Candles) -> DecisionFrame:
    """Decisions of the fallback rules on every bar, all with confidence 1."""
    action = rule_actions(Bars(candles)).action[np.searchsorted(candles.time, frame.time)]
    return rule_frame(frame, action, np.ones(len(frame)), "rules")


def rule_frame(frame: DecisionFrame, action: ActionArray, confidence: FloatArray, name: str) -> DecisionFrame:
    """Decisions of a rule without a model: no scores and no probabilities.

    Args:
        frame: the bars.
        action: (n,) values of Action.
        confidence: (n,) order in which orders get the free position slots; NaN counts as 0.
        name: written as consensus and rule.
    """
    known = np.nan_to_num(confidence, nan=0.0)
    named = np.full(len(frame), name)
    return replace(_without_scores(frame), action=action, confidence=known, base=known, consensus=named, rule=named)


def _without_scores(frame: DecisionFrame) -> DecisionFrame:
    """The frame without scores, and without the ensemble's probabilities, which would size positions."""
    return replace(
        frame,
        scores={},
        unselected={},
        policy="classic",
        probabilities=None,
        calibrated={},
        limit=None,
        side=None,
    )


def single_model_frame(
    frame: DecisionFrame, name: str, scores: FloatArray, members: int, policy: VoteSettings
) -> DecisionFrame:
    """Decisions of one model, as if every member of the ensemble had its scores.

    It gets the same boost, gate and floor as a unanimous ensemble. By the plain rules of the vote, a single vote of
    several members is never a quorum, so the model would never trade.

    Args:
        frame: the bars.
        name: of the model.
        scores: (n, 3); a NaN row is an abstention.
        members: number of members of the ensemble.
        policy: of the ensemble.
    """
    copies = {f"{name} {number}": scores for number in range(members)}
    decided = decide_frame(copies, frame.volatility, policy=replace(policy, weights={}))
    return replace(
        _without_scores(frame),
        action=decided.action,
        confidence=decided.confidence,
        base=decided.base,
        consensus=decided.consensus,
        rule=decided.rule,
        scores={name: scores},
    )
