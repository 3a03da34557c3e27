"""Other ways to decide on the same bars: each gives a decision frame that the same account can trade."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from quorate.core.settings import TargetSettings, VoteSettings
from quorate.core.types import Action, ActionArray, Candles, DecisionFrame, FloatArray
from quorate.ensemble.voting.vote_frame import decide_frame
from quorate.evaluation.backtest_setup import BacktestSetup
from quorate.evaluation.labelled_predictions import LabelledPredictions
from quorate.features import Bars
from quorate.models.rules import rule_actions
from quorate.targets import ForwardClass
from quorate.targets.returns import forward_return
from quorate.trading.backtest.backtest_result import BacktestResult


@dataclass(frozen=True, slots=True, eq=False)
class BaselineStrategy:
    """What the ensemble is compared with.

    Attributes:
        sample: the ensemble's labelled rows, with what this decides on them.
        result: what its decisions brought in an account of their own.
        about: how it decides, in a sentence.
        scores: (n, 3) on the sample's rows; None where it only has decisions.
    """

    sample: LabelledPredictions
    result: BacktestResult
    about: str
    scores: FloatArray | None = None


def momentum_rival(
    frames: Mapping[str, DecisionFrame], venue: BacktestSetup, target: TargetSettings
) -> BaselineStrategy:
    """Past return against the target's band."""
    about = f"the sign of the last {target.horizon} bars' return, where it is beyond {target.band:.2%}"
    decided = {symbol: momentum(frame, venue.candles[symbol], target) for symbol, frame in frames.items()}
    return _met(decided, venue, target, about)


def rules_rival(frames: Mapping[str, DecisionFrame], venue: BacktestSetup, target: TargetSettings) -> BaselineStrategy:
    """The rules that would speak if no model could."""
    decided = {symbol: rules(frame, venue.candles[symbol]) for symbol, frame in frames.items()}
    return _met(decided, venue, target, "the fallback: RSI and moving averages, for when no model can vote")


def model_rival(
    name: str,
    scores: Mapping[str, FloatArray],
    frames: Mapping[str, DecisionFrame],
    venue: BacktestSetup,
    target: TargetSettings,
    members: int,
    policy: VoteSettings,
    about: str,
) -> BaselineStrategy:
    """One model alone.

    Args:
        name: of the model.
        scores: symbol -> (bars, 3), row by row with its frame.
        frames: symbol -> decisions of the ensemble.
        venue: where both trade.
        target: what both are judged by.
        members: of the ensemble.
        policy: of the ensemble.
        about: how it was chosen.
    """
    decided = {symbol: alone(frame, name, scores[symbol], members, policy) for symbol, frame in frames.items()}
    met = _met(decided, venue, target, f"{about}; it trades as if every member said what it says")
    return replace(met, scores=met.sample.members[name])


def _met(
    decided: Mapping[str, DecisionFrame], venue: BacktestSetup, target: TargetSettings, about: str
) -> BaselineStrategy:
    sample = LabelledPredictions.of(decided, venue.candles, ForwardClass(target.horizon, target.band))
    return BaselineStrategy(sample, venue.trade(decided), about)


def momentum(frame: DecisionFrame, candles: Candles, target: TargetSettings) -> DecisionFrame:
    """BUY after a rise, SELL after a fall: the target's own rule, applied to the past instead of the future.

    The return over the last `horizon` bars decides by the same band; the largest move is the most confident. There is
    no decision where the past bars are not all there.

    Args:
        frame: the bars to decide on.
        candles: of the same market; older ones than the frame's are the first bars' past.
        target: horizon and band.
    """
    past = np.full(len(candles), np.nan)
    past[target.horizon :] = forward_return(candles, target.horizon)[: max(0, len(past) - target.horizon)]
    earned = past[np.searchsorted(candles.time, frame.time)]
    action = np.full(len(frame), Action.HOLD, np.int8)
    action[earned > target.band] = Action.BUY
    action[earned < -target.band] = Action.SELL
    return by_rule(frame, action, np.minimum(np.abs(earned), 1.0), "momentum")


def rules(frame: DecisionFrame, candles: Candles) -> DecisionFrame:
    """The rules fallback on every bar; all its decisions are equally confident."""
    said = rule_actions(Bars(candles)).action[np.searchsorted(candles.time, frame.time)]
    return by_rule(frame, said, np.ones(len(frame)), "rules")


def by_rule(frame: DecisionFrame, action: ActionArray, confidence: FloatArray, name: str) -> DecisionFrame:
    """Decisions of something that is no model: no scores, and nothing that a vote would say.

    Args:
        frame: the bars.
        action: (n,) values of Action.
        confidence: (n,) in what order orders get the free slots; NaN counts as 0.
        name: stands as consensus and rule.
    """
    known = np.nan_to_num(confidence, nan=0.0)
    said = np.full(len(frame), name)
    return replace(_bare(frame), action=action, confidence=known, base=known, consensus=said, rule=said)


def _bare(frame: DecisionFrame) -> DecisionFrame:
    """The bars alone: no scores, and nothing of the ensemble's probabilities, by which a position might be sized."""
    return replace(frame, scores={}, policy="classic", probabilities=None, calibrated={}, limit=None, side=None)


def alone(frame: DecisionFrame, name: str, scores: FloatArray, members: int, policy: VoteSettings) -> DecisionFrame:
    """One model's decisions, as if every member of the ensemble said what it says.

    So it gets the same boost, gate and floor as an ensemble that agrees. Under the vote's own rules a single voice of
    several is never a quorum, and it would be compared by trading nothing.

    Args:
        frame: the bars.
        name: of the model.
        scores: (n, 3) its scores; a NaN row is an abstention.
        members: of the ensemble.
        policy: of the ensemble.
    """
    chorus = {f"{name} {number}": scores for number in range(members)}
    decided = decide_frame(chorus, frame.volatility, policy=replace(policy, weights={}))
    return replace(
        _bare(frame),
        action=decided.action,
        confidence=decided.confidence,
        base=decided.base,
        consensus=decided.consensus,
        rule=decided.rule,
        scores={name: scores},
    )
