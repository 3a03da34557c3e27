"""Many bars: the decision on each, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Self

import numpy as np

from quorate.core.types.actions import Policy
from quorate.core.types.arrays import ActionArray, FloatArray, IntArray, TextArray


@dataclass(frozen=True, slots=True, eq=False)
class DecisionFrame:
    """The decision on every bar of one market: what `Signal` is for one bar, as arrays over n bars.

    Attributes:
        time: (n,) int64 open times in ms.
        action: (n,) int8, values of Action.
        confidence, base: (n,) float64; 0 where there is no winner.
        consensus, rule: (n,) str, as in Signal.
        volatility: (n,) float64; NaN in warm-up rows.
        scores: model -> (n, 3) float64 in class order; NaN rows where that model abstained.
        synthetic: the candles were made by the synthetic market.
        policy: classic or calibrated: whose rules decided.
        probabilities: (n, 3) the ensemble's own, NaN where no member voted; None until calibrated.
        calibrated: model -> (n, 3) its scores as probabilities, for the members that are calibrated.
        side: (n,) int8, BUY or SELL: what the calibrated policy asked about, whether it acted or not; else None.
        limit: (n,) the prediction set of a bar holds the classes whose 1 - probability is at most this; None without.
        forecasts: member of a stack -> (n,) predicted returns, fractions; NaN where it abstained.
        predicted: (n,) the stack's own; None in a vote.
    """

    symbol: str
    timeframe: str
    time: IntArray
    action: ActionArray
    confidence: FloatArray
    base: FloatArray
    consensus: TextArray
    rule: TextArray
    volatility: FloatArray
    scores: Mapping[str, FloatArray] = field(default_factory=dict)
    synthetic: bool = False
    policy: Policy | Literal["stack"] = "classic"
    probabilities: FloatArray | None = None
    calibrated: Mapping[str, FloatArray] = field(default_factory=dict)
    limit: FloatArray | None = None
    forecasts: Mapping[str, FloatArray] = field(default_factory=dict)
    predicted: FloatArray | None = None
    side: ActionArray | None = None

    def __len__(self) -> int:
        return len(self.time)

    @property
    def probability(self) -> FloatArray | None:
        """(n,) the calibrated probability of each bar's own action; None until calibrated."""
        if self.probabilities is None:
            return None
        return np.asarray(self.probabilities[np.arange(len(self)), self.action])

    def between(self, start: int | None = None, end: int | None = None) -> Self:
        """Bars that open at or after `start` and before `end`, both in ms; views."""
        rows = slice(
            None if start is None else int(np.searchsorted(self.time, start)),
            None if end is None else int(np.searchsorted(self.time, end)),
        )
        names = ("time", "action", "confidence", "base", "consensus", "rule", "volatility")
        columns = {name: getattr(self, name)[rows] for name in names}
        for name in ("probabilities", "limit", "predicted", "side"):
            table = getattr(self, name)
            columns[name] = None if table is None else table[rows]
        for name in ("scores", "calibrated", "forecasts"):
            columns[name] = {model: table[rows] for model, table in getattr(self, name).items()}
        return replace(self, **columns)
