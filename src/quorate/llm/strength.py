"""Strength of an entry: how far the members' decision and the panel's consensus agree, and the stake that is left.

Both forms, for one entry and for frames, give the same numbers.
"""

from __future__ import annotations

import math
from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np

from quorate.core.types import Action, ActionArray, FloatArray
from quorate.llm.consensus import ConsensusFrame, PanelConsensus

#: A threshold is passed by more than this: a mean that equals it but for float error has not passed it.
TOLERANCE: Final = 1e-9

#: Share of the ordinary stake at a multiplier of 1.
HALF_STAKE: Final = 0.5


class Strength(IntEnum):
    """Strength of an entry; the first of them that matches holds.

    CONFLICT: the directions differ. VERY_STRONG: both confidences above 0.75 and agreement above 0.85. STRONG: above
    0.65 and 0.70. MODERATE: one confidence above 0.70, the other above 0.50. WEAK: a confidence below 0.60. NO_SIGNAL:
    anything else, and a panel without a reply.
    """

    NO_SIGNAL = 0
    WEAK = 1
    MODERATE = 2
    STRONG = 3
    VERY_STRONG = 4
    CONFLICT = 5


class EntryJudgement(NamedTuple):
    """What the panel leaves of an entry.

    Attributes:
        strength: see `Strength`.
        agreement: 0.5 for the same direction + 0.3 (1 - difference of the confidences) + 0.2 of the mean internal
            agreement; 0 without a reply.
        combined: 0.6 of the members' confidence + 0.4 of the panel's + 0.4 (agreement - 0.5) where that is positive; at
            most 1, and 0 without a reply.
        multiplier: of half the ordinary stake.
        share: of the ordinary stake: half the multiplier, at most 1.
    """

    strength: Strength
    agreement: float
    combined: float
    multiplier: float
    share: float


def judge(
    action: Action, confidence: float, consensus: PanelConsensus, members_agreement: float = math.nan
) -> EntryJudgement:
    """Judge an entry by the panel's consensus.

    Args:
        action: BUY or SELL, the members' decision.
        confidence: of the decision, 0 to 1.
        consensus: of the panel.
        members_agreement: share of the members that agree with the decision. The mean internal agreement is of this and
            the panel's; NaN where unknown: then it is the panel's alone.

    >>> found = judge(Action.BUY, 0.8, PanelConsensus(Action.BUY, 0.7, 1.0), 0.75)
    >>> found.strength.name, round(found.agreement, 3), round(found.combined, 3), found.multiplier, found.share
    ('STRONG', 0.945, 0.938, 1.0, 0.5)
    """
    panel = consensus.confidence
    if consensus.direction is None:
        return EntryJudgement(Strength.NO_SIGNAL, 0.0, 0.0, 0.0, 0.0)
    same = consensus.direction == action
    internal = consensus.agreement
    if not math.isnan(members_agreement):
        internal = (members_agreement + consensus.agreement) / 2
    agreement = (0.5 if same else 0.0) + 0.3 * (1 - abs(confidence - panel)) + 0.2 * internal
    combined = min(1.0, 0.6 * confidence + 0.4 * panel + max(0.0, 0.4 * (agreement - 0.5)))
    lower, higher = min(confidence, panel), max(confidence, panel)
    if not same:
        strength, multiplier = Strength.CONFLICT, 0.0
    elif _above(lower, 0.75) and _above(agreement, 0.85):
        strength, multiplier = Strength.VERY_STRONG, 1 + 0.5 * combined
    elif _above(lower, 0.65) and _above(agreement, 0.70):
        strength, multiplier = Strength.STRONG, 1.0
    elif _above(higher, 0.70) and _above(lower, 0.50):
        strength, multiplier = Strength.MODERATE, 0.5 + 0.2 * combined
    elif _above(0.60, lower):
        strength, multiplier = Strength.WEAK, 0.0
    else:
        strength, multiplier = Strength.NO_SIGNAL, 0.0
    return EntryJudgement(strength, agreement, combined, multiplier, min(1.0, HALF_STAKE * multiplier))


class JudgedFrame(NamedTuple):
    """`EntryJudgement` of n entries.

    Attributes:
        strength: (n,) int8, values of Strength.
        agreement, combined, multiplier, share: (n,) float64.
    """

    strength: ActionArray
    agreement: FloatArray
    combined: FloatArray
    multiplier: FloatArray
    share: FloatArray


def judge_frame(
    action: ActionArray, confidence: FloatArray, consensus: ConsensusFrame, members_agreement: FloatArray
) -> JudgedFrame:
    """Judge n entries; arguments are (n,) forms of those of `judge`, and a HOLD row has the share 0 and NO_SIGNAL."""
    panel = consensus.confidence
    asked = (consensus.direction >= 0) & (action != Action.HOLD)
    same = consensus.direction == action
    internal = np.where(np.isnan(members_agreement), consensus.agreement, (members_agreement + consensus.agreement) / 2)
    agreement = np.where(same, 0.5, 0.0) + 0.3 * (1 - np.abs(confidence - panel)) + 0.2 * internal
    combined = np.minimum(1.0, 0.6 * confidence + 0.4 * panel + np.maximum(0.0, 0.4 * (agreement - 0.5)))
    lower, higher = np.minimum(confidence, panel), np.maximum(confidence, panel)
    # In the order of the rules: the first that holds is chosen.
    cases = [
        ~asked,
        ~same,
        (lower - 0.75 > TOLERANCE) & (agreement - 0.85 > TOLERANCE),
        (lower - 0.65 > TOLERANCE) & (agreement - 0.70 > TOLERANCE),
        (higher - 0.70 > TOLERANCE) & (lower - 0.50 > TOLERANCE),
        0.60 - lower > TOLERANCE,
    ]
    names = (
        *(Strength.NO_SIGNAL, Strength.CONFLICT, Strength.VERY_STRONG),
        *(Strength.STRONG, Strength.MODERATE, Strength.WEAK),
    )
    strength = np.select(cases, [int(name) for name in names], int(Strength.NO_SIGNAL)).astype(np.int8)
    multiplier = np.select(
        [strength == Strength.VERY_STRONG, strength == Strength.STRONG, strength == Strength.MODERATE],
        [1 + 0.5 * combined, np.ones(len(combined)), 0.5 + 0.2 * combined],
        0.0,
    )
    agreement, combined = np.where(asked, agreement, 0.0), np.where(asked, combined, 0.0)
    return JudgedFrame(strength, agreement, combined, multiplier, np.minimum(1.0, HALF_STAKE * multiplier))


def _above(value: float, threshold: float) -> bool:
    return value - threshold > TOLERANCE
