"""The stack in use: members' predicted returns to one predicted return, and that to an action.

1. HOLD (`member_missing`) if a member that the combiner was fitted with abstains: weights are only valid together.
2. BUY or SELL (`predicted_return`) if the size of the predicted return exceeds a round trip's cost, else HOLD
   (`within_cost`).
3. Confidence is the probability, estimated out of fold, that the sign is right at that size, also for a HOLD. It is 0
   if a member is missing.

Needs no training library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from quorate.core.types import (
    Abstention,
    Action,
    ActionArray,
    Candles,
    DecisionFrame,
    FloatArray,
    Forecast,
    Mode,
    Signal,
    TextArray,
)
from quorate.ensemble.stack.combiner import Combiner
from quorate.ensemble.stack.sign_probability import SignProbability

#: The consensus of every decision of a stack, whose members do not vote.
STACK = "stack"

ACTED, WITHIN_COST, MEMBER_MISSING = "predicted_return", "within_cost", "member_missing"


class Predicted(NamedTuple):
    """Decisions of a stack on n bars.

    Attributes:
        action: (n,) int8 values of Action.
        confidence: (n,) float64.
        predicted: (n,) float64 return, a fraction; NaN where a member is missing.
        rule: (n,) str, the rule that decided.
    """

    action: ActionArray
    confidence: FloatArray
    predicted: FloatArray
    rule: TextArray


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """A fitted stack.

    Attributes:
        method: that it was fitted by.
        members: in the order of the combiner's columns.
        combiner: their returns to one.
        confidence: of its sign.
        round_trip: cost that a predicted return must exceed, a fraction.
    """

    method: str
    members: tuple[str, ...]
    combiner: Combiner
    confidence: SignProbability
    round_trip: float

    def decide(self, returns: Mapping[str, FloatArray]) -> Predicted:
        """Combine the members' predictions for n bars.

        Args:
            returns: member -> (n,) predicted returns, NaN where it abstained; members that the combiner was not fitted
                with are ignored.
        """
        predicted = self.combiner.combine(np.column_stack([returns[member] for member in self.members]))
        known = np.isfinite(predicted)
        confidence = np.where(known, self.confidence.at(predicted), 0.0)
        rule = np.where(known, np.where(np.abs(predicted) > self.round_trip, ACTED, WITHIN_COST), MEMBER_MISSING)
        return Predicted(self.actions(predicted), confidence, predicted, rule)

    def actions(self, predicted: FloatArray) -> ActionArray:
        """(n,) int8: BUY or SELL where the size of a predicted return exceeds the round trip's cost, else HOLD."""
        beyond = np.abs(predicted) > self.round_trip
        return np.where(beyond, np.where(predicted > 0, Action.BUY, Action.SELL), Action.HOLD).astype(np.int8)

    def frame(
        self, candles: Candles, returns: Mapping[str, FloatArray], volatility: FloatArray, *, synthetic: bool
    ) -> DecisionFrame:
        """The decision on every bar.

        Args:
            candles: of one market, n bars.
            returns: member -> (n,) predicted returns, NaN where it abstained.
            volatility: (n,) volatility_20 as a fraction; NaN where unknown.
            synthetic: whether the stack was trained on the synthetic market.
        """
        decided = self.decide(returns)
        return DecisionFrame(
            symbol=candles.symbol,
            timeframe=candles.timeframe,
            time=candles.time,
            action=decided.action,
            confidence=decided.confidence,
            base=decided.confidence,
            consensus=np.full(len(candles), STACK),
            rule=decided.rule,
            volatility=volatility,
            synthetic=synthetic or candles.synthetic,
            policy="stack",
            forecasts=returns,
            predicted=decided.predicted,
        )

    def signal(
        self,
        outputs: Sequence[Forecast | Abstention],
        volatility: float,
        mode: Mode = "full",
        symbol: str = "",
        time: int | None = None,
    ) -> Signal:
        """The decision on one bar.

        Args:
            outputs: forecast or abstention of every member.
            volatility: volatility_20 as a fraction; not finite if unknown.
            mode: how many members are loaded.
            symbol: of the market.
            time: open time of the bar, ms.
        """
        forecasts = {one.model: one for one in outputs if isinstance(one, Forecast)}
        returns = {
            member: np.array([forecasts[member].predicted_return if member in forecasts else np.nan])
            for member in self.members
        }
        decided = self.decide(returns)
        predicted = float(decided.predicted[0])
        return Signal(
            action=Action(int(decided.action[0])),
            confidence=float(decided.confidence[0]),
            consensus=STACK,
            rule=str(decided.rule[0]),
            base=float(decided.confidence[0]),
            volatility=float(volatility) if np.isfinite(volatility) else None,
            votes=(),
            abstentions=tuple(one for one in outputs if isinstance(one, Abstention)),
            mode=mode,
            symbol=symbol,
            time=time,
            policy="stack",
            forecasts=tuple(forecasts.values()),
            predicted_return=predicted if np.isfinite(predicted) else None,
        )
