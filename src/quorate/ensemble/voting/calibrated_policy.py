"""The calibrated policy: act where the ensemble's probabilities imply a return that exceeds the costs.

Votes are counted and named as by the classic policy. Then, for n members with a quorum of q:

1. Fewer than q members voted: HOLD (`no_quorum`). Any votes count; their agreement is part of the mean score.
2. The expected return is the mean of the classes' returns, weighted by the ensemble's probabilities. Its sign gives
   the side.
3. Its size less a round trip's costs is below the least net return: HOLD (`below_return`).
4. The probability of the side's class is below the least probability: HOLD (`below_probability`).
5. The prediction set holds another class, or none: HOLD (`ambiguous`), if the policy requires it.

Confidence is the probability of the side's class. `decide` takes one bar, `decide_frame` many, with the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np

from quorate.core.sections.vote import VoteSettings
from quorate.core.types import Action, ActionArray, FloatArray, IntArray, Signal, TextArray, finite_rows
from quorate.ensemble.calibration.conformal import Conformal, prediction_set, prediction_set_mask
from quorate.ensemble.calibration.map_selection import ProbabilityMap
from quorate.ensemble.voting.policies import VOLATILITY_HOLD, quorum_count

#: The `rule` of a BUY or SELL by this policy.
CALIBRATED: Final = "calibrated"

#: Rules that hold a bar, in order of application, and their description.
GATES: Mapping[str, str] = {
    "no_quorum": "fewer members voted than the quorum",
    "below_return": "the expected return does not pay for the costs",
    "below_probability": "its probability is too small",
    "ambiguous": "the prediction set holds another class, or none",
}


@dataclass(frozen=True, slots=True, eq=False)
class CalibratedPolicy:
    """Parameters of the calibrated policy.

    Attributes:
        vote: weights of the mean score, and the quorum.
        ensemble: map from mean scores to probabilities.
        returns: mean forward return of SELL, HOLD, BUY bars, fractions.
        cost: of a round trip, a fraction.
        net_return: least expected return after costs.
        probability: least probability of the side's class.
        conformal: prediction sets; None without them.
        unambiguous: whether the set must hold the side's class only.
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
        """JSON object of its numbers; the map and the prediction sets are saved separately."""
        return {
            "returns": list(self.returns),
            "cost": self.cost,
            "net_return": self.net_return,
            "probability": self.probability,
            "unambiguous": self.unambiguous,
        }

    def decide(
        self,
        signal: Signal,
        probabilities: tuple[float, float, float] | None,
        members: int,
        limit: float | None = None,
    ) -> Signal:
        """Decide on one bar.

        Args:
            signal: result of the classic vote; its votes and consensus are kept.
            probabilities: of the ensemble; None or not finite if no member voted.
            members: number of members in the manifest.
            limit: of the prediction set; None for the initial limit.
        """
        known = None if probabilities is None or not all(map(math.isfinite, probabilities)) else probabilities
        if limit is None and self.conformal is not None:
            limit = self.conformal.initial_limit
        classes = None if limit is None or known is None else prediction_set(known, limit)
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
            elif self.unambiguous and classes != (side,):
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
            prediction_set=classes,
        )

    def decide_frame(
        self, probabilities: FloatArray, voters: IntArray, members: int, limit: FloatArray | None = None
    ) -> PolicyDecisions:
        """`decide` on n bars.

        Args:
            probabilities: (n, 3) of the ensemble; NaN where no member voted.
            voters: (n,) number of members that voted.
            members: number of members in the manifest.
            limit: (n,) of the prediction sets; None for the initial limit.
        """
        n = len(probabilities)
        if limit is None and self.conformal is not None:
            limit = np.full(n, self.conformal.initial_limit)
        known = finite_rows(probabilities)
        sell, hold, buy = probabilities.T
        gross = sell * self.returns[0] + hold * self.returns[1] + buy * self.returns[2]
        side = np.where(gross < 0, Action.SELL, Action.BUY).astype(np.int8)
        expected = np.abs(gross) - self.cost
        confidence = np.where(known, np.where(side == Action.BUY, buy, sell), 0.0)
        ambiguous = np.zeros(n, np.bool_)
        if self.unambiguous:
            classes = prediction_set_mask(probabilities, np.full(n, np.nan) if limit is None else limit)
            ambiguous = (classes.sum(axis=1) != 1) | ~classes[np.arange(n), side]
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
        return PolicyDecisions(action, confidence, rule, side, np.where(known, expected, np.nan))


class PolicyDecisions(NamedTuple):
    """Decisions of the calibrated policy on n bars.

    Attributes:
        action: (n,) int8.
        confidence: (n,) probability of the side's class; 0 where no member voted.
        rule: (n,) the rule that decided.
        side: (n,) int8, BUY or SELL: the side considered.
        expected_return: (n,) after costs, a fraction; NaN where no member voted.
    """

    action: ActionArray
    confidence: FloatArray
    rule: TextArray
    side: ActionArray
    expected_return: FloatArray
