"""Consensus of the panel's replies on one entry, for one bar and for frames. Both forms give the same numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from quorate.core.types import Action, ActionArray, FloatArray
from quorate.llm.views import ROLES, PanelView

#: Direction of a row without a reply, in the form for frames.
NO_REPLY = -1

# Sums of weights that differ by no more than this are equal.
_TIE = 1e-9


class PanelConsensus(NamedTuple):
    """The direction that the panel agrees on.

    Attributes:
        direction: of the largest weight of agreeing roles, HOLD where the largest weights tie; None without a reply.
        confidence: weighted mean of the agreeing roles' confidences; 0 without a reply.
        agreement: weight of the agreeing roles as a share of the weight of all that replied; 0 without a reply.
    """

    direction: Action | None
    confidence: float
    agreement: float


def panel_consensus(view: PanelView) -> PanelConsensus:
    """Consensus of the replies of a view; roles that abstained or have no provider do not count.

    The weights of the roles that replied are not scaled up: an abstention changes shares, never which of two directions
    has more weight.

    >>> from quorate.llm.views import RoleReply
    >>> replies = RoleReply("technical", "a", "m", Action.BUY, 0.5), RoleReply("risk", "a", "m", Action.HOLD, 0.9)
    >>> panel_consensus(PanelView(replies))
    PanelConsensus(direction=<Action.BUY: 2>, confidence=0.5, agreement=0.5333333333333333)
    """
    if not view.replies:
        return PanelConsensus(None, 0.0, 0.0)
    known = {reply.role: reply for reply in view.replies}
    replies = [known[role] for role in ROLES if role in known]  # the order of sums is that of frames
    weight = dict.fromkeys(Action, 0.0)
    for reply in replies:
        weight[reply.direction] += ROLES[reply.role]
    best = max(weight.values())
    winners = [action for action in Action if best - weight[action] <= _TIE]
    if len(winners) > 1:
        return PanelConsensus(Action.HOLD, 0.0, 0.0)
    winner = winners[0]
    confidence = total = 0.0
    for reply in replies:
        if reply.direction == winner:
            confidence += ROLES[reply.role] * reply.confidence
        total += ROLES[reply.role]
    return PanelConsensus(winner, min(1.0, confidence / weight[winner]), weight[winner] / total)


class ConsensusFrame(NamedTuple):
    """`PanelConsensus` of n entries.

    Attributes:
        direction: (n,) int8, values of Action; `NO_REPLY` without a reply.
        confidence, agreement: (n,) float64.
    """

    direction: ActionArray
    confidence: FloatArray
    agreement: FloatArray


def panel_consensus_frame(directions: ActionArray, confidences: FloatArray) -> ConsensusFrame:
    """Consensus of n views.

    Args:
        directions: (n, 3) values of Action in the order of `ROLES`; `NO_REPLY` where a role did not reply.
        confidences: (n, 3) 0 to 1; not read where a role did not reply.
    """
    replied = directions != NO_REPLY
    weights = np.where(replied, np.array(list(ROLES.values())), 0.0)
    # Role by role, as the scalar form adds them: another order of a sum may differ in its last bit.
    of_action = np.zeros((len(directions), len(Action)))
    rows = np.arange(len(directions))
    total = np.zeros(len(directions))
    for role in range(len(ROLES)):
        of_action[rows, np.where(replied[:, role], directions[:, role], 0)] += weights[:, role]
        total += weights[:, role]
    best = of_action.max(axis=1)
    winner = of_action.argmax(axis=1)
    tied = (best[:, None] - of_action <= _TIE).sum(axis=1) > 1
    none = ~replied.any(axis=1)
    agreeing = replied & (directions == winner[:, None])
    summed = np.zeros(len(directions))
    for role in range(len(ROLES)):
        summed += np.where(agreeing[:, role], weights[:, role] * np.where(replied, confidences, 0.0)[:, role], 0.0)
    void = none | tied
    direction = np.where(none, NO_REPLY, np.where(tied, int(Action.HOLD), winner)).astype(np.int8)
    confidence = np.minimum(1.0, np.divide(summed, best, out=np.zeros(len(directions)), where=~void))
    agreement = np.divide(best, total, out=np.zeros(len(directions)), where=~void)
    return ConsensusFrame(direction, confidence, agreement)
