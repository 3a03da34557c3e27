"""The vote of a member, from its scores: by its largest score, or by the direction given a move.

Each has two forms, for one bar and for frames, with the same bits. A member whose scores of SELL and BUY are equal has
no side and votes HOLD.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quorate.core.types import Action, ActionArray, FloatArray, finite_rows

# Of classes with equal scores HOLD comes first: such a member does not act.
_PREFERENCE = (Action.HOLD, Action.SELL, Action.BUY)

# A member whose P(HOLD) exceeds this expects no move, and has no say on its direction.
_NO_MOVE = 0.5


def top_action(scores: Sequence[float]) -> Action:
    """Class with the largest of three finite scores; HOLD where SELL and BUY tie.

    >>> [top_action(scores).name for scores in ((0.2, 0.2, 0.6), (0.4, 0.2, 0.4), (0.4, 0.4, 0.2))]
    ['BUY', 'HOLD', 'HOLD']
    """
    if scores[Action.SELL] == scores[Action.BUY]:
        return Action.HOLD
    return max(_PREFERENCE, key=scores.__getitem__)


def top_class(scores: FloatArray) -> tuple[ActionArray, FloatArray]:
    """Class with the largest score in each row, HOLD where SELL and BUY tie, and the score of that class.

    Args:
        scores: (n, 3) in class order; a row with a value that is not finite is an abstention.

    Returns:
        (n,) int8 actions, and (n,) float64 scores, NaN for an abstention.
    """
    sell, hold, buy = scores.T
    held = (sell == buy) | ((hold >= sell) & (hold >= buy))
    # HOLD, else BUY or SELL, by arithmetic: numpy selects by masks that it cannot predict several times as slowly.
    best = held + 2 * (~held & (buy > sell)).astype(np.int8)
    return best, _known(scores, np.where(held, hold, np.maximum(sell, buy)))


def move_action(scores: Sequence[float], raw: Sequence[float]) -> tuple[Action, float]:
    """Side of one member given a move, and its share of P(move); HOLD and P(HOLD) where it has no side.

    A member has no side where P(HOLD) exceeds 0.5, and where SELL and BUY tie: in its probabilities, or in its raw
    scores, whatever a map with an offset for each class makes of them.

    Args:
        scores: three finite probabilities, or the raw scores of a member without calibration.
        raw: its three raw scores.

    >>> move_action((0.12, 0.4, 0.48), (0.12, 0.4, 0.48))
    (<Action.BUY: 2>, 0.8)
    >>> move_action((0.1, 0.6, 0.3), (0.1, 0.6, 0.3)), move_action((0.3, 0.3, 0.4), (0.35, 0.3, 0.35))
    ((<Action.HOLD: 1>, 0.6), (<Action.HOLD: 1>, 0.3))
    """
    sell, hold, buy = scores
    if hold > _NO_MOVE or sell == buy or raw[Action.SELL] == raw[Action.BUY]:
        return Action.HOLD, hold
    return (Action.BUY if buy > sell else Action.SELL), max(sell, buy) / (sell + buy)


def move_class(scores: FloatArray, raw: FloatArray) -> tuple[ActionArray, FloatArray]:
    """`move_action` on n bars.

    Args:
        scores: (n, 3) probabilities or raw scores; a row with a value that is not finite is an abstention.
        raw: (n, 3) raw scores.

    Returns:
        (n,) int8 actions, and (n,) float64 scores, NaN for an abstention.
    """
    sell, hold, buy = scores.T
    sideless = (hold > _NO_MOVE) | (sell == buy) | (raw[:, Action.SELL] == raw[:, Action.BUY])
    moved = sell + buy
    share = np.divide(np.maximum(sell, buy), moved, out=np.zeros(len(scores)), where=np.isfinite(moved) & (moved > 0))
    action = np.where(sideless, Action.HOLD, np.where(buy > sell, Action.BUY, Action.SELL)).astype(np.int8)
    return action, _known(scores, np.where(sideless, hold, share))


def counted_votes(
    scores: FloatArray, probabilities: FloatArray | None, *, given_move: bool
) -> tuple[ActionArray, FloatArray]:
    """The votes of a member on n bars, as a policy counts them.

    Args:
        scores: (n, 3) raw scores; a row with a value that is not finite is an abstention.
        probabilities: (n, 3); None, or NaN in rows of a bundle in which the member is not calibrated.
        given_move: whether it votes by the direction given a move, from its probabilities where it has them.

    Returns:
        (n,) int8 actions, and (n,) float64 scores, NaN for an abstention.
    """
    if not given_move:
        return top_class(scores)
    if probabilities is None:
        return move_class(scores, scores)
    # Of a member that is not chosen to vote, probabilities are known where its scores are masked.
    known = (finite_rows(probabilities) & finite_rows(scores))[:, None]
    return move_class(np.where(known, probabilities, scores), scores)


def _known(scores: FloatArray, score: FloatArray) -> FloatArray:
    return np.where(finite_rows(scores), score, np.nan)
