"""One bar of a frame as a signal, and what each member said on it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quorate.core.types import Abstention, Action, DecisionFrame, FloatArray, Forecast, Mode, Signal, Vote
from quorate.ensemble.voting.consensus_policy import CONSENSUS
from quorate.ensemble.voting.member_votes import counted_votes


def signal_at(decisions: DecisionFrame, row: int, models: Sequence[str], mode: Mode) -> Signal:
    """Convert one bar of a frame to a signal.

    Args:
        decisions: the frame.
        row: of the bar.
        models: the members, in the bundle's order.
        mode: of the bundle.
    """
    votes: list[Vote] = []
    forecasts: list[Forecast] = []
    abstentions: list[Abstention] = []
    for model in models:
        score, direction = member_output(decisions, model, slice(row, row + 1))
        if np.isnan(direction[0]):
            abstentions.append(Abstention(model, "no score on this bar"))
        elif decisions.predicted is None:
            votes.append(Vote(model, Action(int(direction[0]) + int(Action.HOLD)), float(score[0])))
        else:
            forecasts.append(Forecast(model, float(score[0]), Action(int(direction[0]) + int(Action.HOLD))))
    volatility = float(decisions.volatility[row])
    predicted = None if decisions.predicted is None else float(decisions.predicted[row])
    return Signal(
        action=Action(int(decisions.action[row])),
        confidence=float(np.nan_to_num(decisions.confidence[row])),
        consensus=str(decisions.consensus[row]),
        rule=str(decisions.rule[row]),
        base=float(np.nan_to_num(decisions.base[row])),
        volatility=volatility if np.isfinite(volatility) else None,
        votes=tuple(votes),
        abstentions=tuple(abstentions),
        mode=mode,
        symbol=decisions.symbol,
        time=int(decisions.time[row]),
        policy=decisions.policy,
        forecasts=tuple(forecasts),
        predicted_return=predicted if predicted is None or np.isfinite(predicted) else None,
    )


def member_output(decisions: DecisionFrame, model: str, rows: slice = slice(None)) -> tuple[FloatArray, FloatArray]:
    """Score or predicted return of a member on each bar, and its direction -1, 0 or 1; NaN where it abstains.

    Args:
        decisions: the frame.
        model: the member.
        rows: bars that are wanted.
    """
    if model in decisions.scores:
        calibrated = decisions.calibrated.get(model)
        probabilities = None if calibrated is None else calibrated[rows]
        given_move = decisions.policy == CONSENSUS
        action, score = counted_votes(decisions.scores[model][rows], probabilities, given_move=given_move)
        return score, np.where(np.isnan(score), np.nan, action - float(Action.HOLD))
    if model in decisions.forecasts:
        predicted = decisions.forecasts[model][rows]
        return predicted, np.where(np.isnan(predicted), np.nan, np.sign(predicted))
    missing = np.full(len(decisions.time[rows]), np.nan)
    return missing, missing.copy()
