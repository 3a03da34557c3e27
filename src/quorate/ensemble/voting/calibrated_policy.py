"""The calibrated policy: act where the ensemble's probability and the return it stands for are worth the costs.

The votes are counted as ever and keep their consensus. Then, of n members of whom q are a quorum:

1. Fewer than q members voted: HOLD (`no_quorum`). Here the quorum is of those present, since agreement is in the mean.
2. The expected return is the classes' mean returns, weighted by the ensemble's probabilities. Its sign is the side.
3. What it leaves after a round trip's costs is below the least net return: HOLD (`below_return`).
4. The probability of the side's class is below the least probability: HOLD (`below_probability`).
5. The prediction set holds another class, or none: HOLD (`ambiguous`), where the policy asks for it.

Confidence is the probability of the side's class. `judge` decides on one bar, `judge_frame` on many, to the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np

from quorate.core.sections.vote import VoteSettings
from quorate.core.types import Action, ActionArray, FloatArray, IntArray, Signal, TextArray
from quorate.ensemble.calibration.conformal import Conformal, prediction_set, within
from quorate.ensemble.calibration.map_selection import ProbabilityMap
from quorate.ensemble.voting.policies import VOLATILITY_HOLD, quorum_count

#: The `rule` of an action that this policy took.
CALIBRATED: Final = "calibrated"

#: What stops a bar, in the order in which it is asked.
GATES: Mapping[str, str] = {
    "no_quorum": "fewer members voted than the quorum",
    "below_return": "the expected return does not pay for the costs",
    "below_probability": "its probability is too small",
    "ambiguous": "the prediction set holds another class, or none",
}


@dataclass(frozen=True, slots=True, eq=False)
class CalibratedPolicy:
    """What the calibrated policy needs before it acts.

    Attributes:
        vote: weights of the mean score, and the quorum.
        ensemble: mean scores to probabilities.
        returns: mean forward return of SELL, HOLD, BUY bars, fractions.
        cost: of a round trip, a fraction.
        net_return: least expected return after costs.
        probability: least probability of the side's class.
        conformal: prediction sets; None without them.
        unambiguous: the set must hold the side's class alone.
    """

    vote: VoteSettings
    ensemble: ProbabilityMap
    returns: tuple[float, float, float]
    cost: float
    net_return: float = 0.0
    probability: float = 0.0
    conformal: Conformal | None = None
    unambiguous: bool = False

    def to_json(self) -> dict[str, Any]:
        """Its numbers, for a report; maps and sets are told elsewhere."""
        return {
            "returns": list(self.returns),
            "cost": self.cost,
            "net_return": self.net_return,
            "probability": self.probability,
            "unambiguous": self.unambiguous,
        }

    def judge(
        self,
        signal: Signal,
        probabilities: tuple[float, float, float] | None,
        members: int,
        limit: float | None = None,
    ) -> Signal:
        """The same votes, decided by this policy.

        Args:
            signal: as the vote was counted.
            probabilities: the ensemble's; None or not finite where no member voted.
            members: in the manifest.
            limit: of the prediction set; None for where the sets start.
        """
        known = None if probabilities is None or not all(map(math.isfinite, probabilities)) else probabilities
        if limit is None and self.conformal is not None:
            limit = self.conformal.start
        held = None if limit is None or known is None else prediction_set(known, limit)
        action, confidence, expected = Action.HOLD, 0.0, None
        if known is None:
            rule = "no_votes"
        else:
            gross = known[0] * self.returns[0] + known[1] * self.returns[1] + known[2] * self.returns[2]
            side = Action.SELL if gross < 0 else Action.BUY
            expected = abs(gross) - self.cost
            confidence = known[side]
            if len(signal.votes) < quorum_count(self.vote.quorum, members):
                rule = "no_quorum"
            elif expected < self.net_return:
                rule = "below_return"
            elif confidence < self.probability:
                rule = "below_probability"
            elif self.unambiguous and held != (side,):
                rule = "ambiguous"
            else:
                action, rule = side, CALIBRATED
        return replace(
            signal,
            action=action,
            confidence=confidence,
            rule=rule,
            consensus=signal.consensus.removesuffix(VOLATILITY_HOLD),
            policy=CALIBRATED,
            probabilities=known,
            expected_return=expected,
            prediction_set=held,
        )

    def judge_frame(
        self, probabilities: FloatArray, voters: IntArray, members: int, limit: FloatArray | None = None
    ) -> Judged:
        """`judge` on n bars.

        Args:
            probabilities: (n, 3) the ensemble's; NaN where no member voted.
            voters: (n,) how many voted.
            members: in the manifest.
            limit: (n,) of the prediction sets; None for where they start.
        """
        n = len(probabilities)
        if limit is None and self.conformal is not None:
            limit = np.full(n, self.conformal.start)
        known = np.isfinite(probabilities).all(axis=1)
        sell, hold, buy = probabilities.T
        gross = sell * self.returns[0] + hold * self.returns[1] + buy * self.returns[2]
        side = np.where(gross < 0, Action.SELL, Action.BUY).astype(np.int8)
        expected = np.abs(gross) - self.cost
        confidence = np.where(known, np.where(side == Action.BUY, buy, sell), 0.0)
        ambiguous = np.zeros(n, np.bool_)
        if self.unambiguous:
            held = within(probabilities, np.full(n, np.nan) if limit is None else limit)
            ambiguous = (held.sum(axis=1) != 1) | ~held[np.arange(n), side]
        rule = np.select(
            [
                ~known,
                voters < quorum_count(self.vote.quorum, members),
                expected < self.net_return,
                confidence < self.probability,
                ambiguous,
            ],
            ["no_votes", *GATES],
            default=CALIBRATED,
        )
        action = np.where(rule == CALIBRATED, side, Action.HOLD).astype(np.int8)
        return Judged(action, confidence, rule, side, np.where(known, expected, np.nan))


class Judged(NamedTuple):
    """What the calibrated policy says of n bars.

    Attributes:
        action: (n,) int8.
        confidence: (n,) probability of the side's class; 0 where no member voted.
        rule: (n,) what decided.
        side: (n,) int8, BUY or SELL: what was asked about.
        expected_return: (n,) after costs, a fraction; NaN where no member voted.
    """

    action: ActionArray
    confidence: FloatArray
    rule: TextArray
    side: ActionArray
    expected_return: FloatArray
