"""The stack as it serves: the members' predicted returns to one, and that to an action. No training library.

1. Every member that the combiner was fitted with must have spoken, else HOLD (`member_missing`): weights fitted
   together mean nothing apart.
2. A predicted return of more than a round trip's cost in size is BUY or SELL (`predicted_return`), else HOLD
   (`within_cost`).
3. Confidence is the probability, out of fold, that the sign is right at that size; also of a HOLD. It is 0 where a
   member is missing.
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

#: The consensus of every decision of a stack: its members do not vote.
STACK = "stack"

ACTED, WITHIN_COST, MEMBER_MISSING = "predicted_return", "within_cost", "member_missing"


class Predicted(NamedTuple):
    """What the stack says of n bars.

    Attributes:
        action: (n,) int8 values of Action.
        confidence: (n,) float64.
        predicted: (n,) float64 return, a fraction; NaN where a member is missing.
        rule: (n,) str, what decided.
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
        """Combine what the members said of n bars.

        Args:
            returns: member -> (n,) predicted returns, NaN where it abstained; members that it was not fitted with are
                left out.
        """
        predicted = self.combiner.combine(np.column_stack([returns[member] for member in self.members]))
        known = np.isfinite(predicted)
        confidence = np.where(known, self.confidence.at(predicted), 0.0)
        rule = np.where(known, np.where(np.abs(predicted) > self.round_trip, ACTED, WITHIN_COST), MEMBER_MISSING)
        return Predicted(self.lean(predicted), confidence, predicted, rule)

    def lean(self, predicted: FloatArray) -> ActionArray:
        """(n,) int8: BUY or SELL where a predicted return exceeds the round trip's cost in size; HOLD too for NaN."""
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
            synthetic: the stack was trained on the synthetic market.
        """
        made = self.decide(returns)
        return DecisionFrame(
            symbol=candles.symbol,
            timeframe=candles.timeframe,
            time=candles.time,
            action=made.action,
            confidence=made.confidence,
            base=made.confidence,
            consensus=np.full(len(candles), STACK),
            rule=made.rule,
            volatility=volatility,
            synthetic=synthetic or candles.synthetic,
            policy="stack",
            forecasts=returns,
            predicted=made.predicted,
        )

    def signal(
        self,
        said: Sequence[Forecast | Abstention],
        volatility: float,
        mode: Mode = "full",
        symbol: str = "",
        time: int | None = None,
    ) -> Signal:
        """The decision on one bar.

        Args:
            said: every member's predicted return, or why it abstains.
            volatility: volatility_20 as a fraction; not finite where unknown.
            mode: how many members are loaded.
            symbol: of the market.
            time: open time of the bar, ms.
        """
        forecasts = {one.model: one for one in said if isinstance(one, Forecast)}
        returns = {
            member: np.array([forecasts[member].predicted_return if member in forecasts else np.nan])
            for member in self.members
        }
        made = self.decide(returns)
        predicted = float(made.predicted[0])
        return Signal(
            action=Action(int(made.action[0])),
            confidence=float(made.confidence[0]),
            consensus=STACK,
            rule=str(made.rule[0]),
            base=float(made.confidence[0]),
            volatility=float(volatility) if np.isfinite(volatility) else None,
            votes=(),
            abstentions=tuple(one for one in said if isinstance(one, Abstention)),
            mode=mode,
            symbol=symbol,
            time=time,
            policy="stack",
            forecasts=tuple(forecasts.values()),
            predicted_return=predicted if np.isfinite(predicted) else None,
        )
