"""Candidates for the policy of a bundle: the votes, and the calibrated policy at each pair of thresholds of a grid.

The grid holds pairs of a least net return and a least probability, at quantiles of the rows, each with and without the
requirement of an unambiguous prediction set. Nothing is chosen here: `evidence` judges the candidates by their days.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from quorate.core.types import Action, ActionArray, BoolArray, FloatArray, IntArray
from quorate.ensemble.evidence.evidence import Candidate, candidate
from quorate.ensemble.voting.calibrated_policy import CALIBRATED, CalibratedPolicy

# Quantiles of the rows at which thresholds are tried.
_QUANTILES = (0.5, 0.75, 0.9, 0.95, 0.98, 0.99)


@dataclass(frozen=True, slots=True, eq=False)
class Considered:
    """What a calibrated policy without thresholds considered on n rows.

    Attributes:
        side: (n,) int8, BUY or SELL.
        expected_return: (n,) after costs, a fraction; NaN where no member voted.
        confidence: (n,) probability of the side's class.
        paying: (n,) bool, whether it acts without thresholds: a quorum voted, and the costs are paid for.
        unambiguous: (n,) bool, whether it also does where the prediction set must hold the side's class only.
    """

    side: ActionArray
    expected_return: FloatArray
    confidence: FloatArray
    paying: BoolArray
    unambiguous: BoolArray

    @classmethod
    def of(
        cls,
        policy: CalibratedPolicy,
        probabilities: FloatArray,
        voters: IntArray,
        members: int,
        limit: FloatArray | None,
    ) -> Considered:
        """By a policy, whose thresholds are ignored; for the other arguments see `CalibratedPolicy.decide_frame`.

        Without limits no row is unambiguous.
        """
        free = replace(policy, net_return=0.0, probability=0.0, unambiguous=False)
        decided = free.decide_frame(probabilities, voters, members, limit)
        strict = np.zeros(len(voters), np.bool_)
        if limit is not None:
            decided_strictly = replace(free, unambiguous=True).decide_frame(probabilities, voters, members, limit)
            strict = np.asarray(decided_strictly.rule == CALIBRATED)
        paying = np.asarray(decided.rule == CALIBRATED)
        return cls(decided.side, decided.expected_return, decided.confidence, paying, strict)

    @classmethod
    def concat(cls, parts: list[Considered]) -> Considered:
        """Rows of all parts."""
        side, expected, confidence, paying, strict = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("side", "expected_return", "confidence", "paying", "unambiguous")
        )
        return cls(side, expected, confidence, paying, strict)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """A pair of the grid: a least net return, a fraction, a least probability, and whether sets must hold one class."""

    net_return: float
    probability: float
    unambiguous: bool

    def __str__(self) -> str:
        strict = ", unambiguous" if self.unambiguous else ""
        return f"calibrated from {1e4 * self.net_return:.1f} bps and {self.probability:.1%}{strict}"

    def apply(self, policy: CalibratedPolicy) -> CalibratedPolicy:
        """The policy with these thresholds."""
        return replace(policy, net_return=self.net_return, probability=self.probability, unambiguous=self.unambiguous)


def grid(found: Considered, sets: bool) -> list[Thresholds]:
    """All pairs of thresholds; none if no row pays for its costs.

    Args:
        found: of the rows.
        sets: whether there are prediction sets.
    """
    if not found.paying.any():
        return []
    returns = (0.0, *np.quantile(found.expected_return[found.paying], _QUANTILES).tolist())
    probabilities = (0.0, *np.quantile(found.confidence[found.paying], _QUANTILES).tolist())
    return [
        Thresholds(net_return, probability, strict)
        for net_return in returns
        for probability in probabilities
        for strict in ((False, True) if sets else (False,))
    ]


def calibrated_candidates(
    found: Considered, pairs: list[Thresholds], forward_return: FloatArray, day: IntArray, days: int, cost: float
) -> Iterator[Candidate]:
    """The calibrated policy at each pair of thresholds, in their order.

    Args:
        found: of n rows.
        pairs: of the grid.
        forward_return: (n,) fractions.
        day: (n,) int64 number of each row's day.
        days: number of days.
        cost: of a round trip, a fraction.
    """
    for pair in pairs:
        allowed = found.unambiguous if pair.unambiguous else found.paying
        enough = allowed & (found.expected_return >= pair.net_return) & (found.confidence >= pair.probability)
        action = np.where(enough, found.side, Action.HOLD).astype(np.int8)
        yield candidate(CALIBRATED, str(pair), action, forward_return, day, days, cost)


def never_acting(policy: CalibratedPolicy, found: Considered) -> CalibratedPolicy:
    """The policy with a least net return above all expected returns of the rows."""
    most = found.expected_return[found.paying]
    never = float(np.nextafter(most.max(), np.inf)) if len(most) else 0.0
    return replace(policy, net_return=never, probability=0.0, unambiguous=False)


@dataclass(frozen=True, slots=True)
class SignalOutcome:
    """Mean outcome of signals.

    Attributes:
        signals: number of BUY and SELL signals.
        net_return: their mean return after a round trip's costs, a fraction; NaN without signals.
    """

    signals: int
    net_return: float

    def to_json(self) -> dict[str, Any]:
        """JSON object, in basis points; null where a value is not known."""
        return {"signals": self.signals, "net_bps": 1e4 * self.net_return if self.signals else None}


def signal_outcome(action: ActionArray, forward_return: FloatArray, cost: float) -> SignalOutcome:
    """Mean outcome of BUY and SELL signals, each from its bar's close to the label's end, less costs.

    >>> outcome = signal_outcome(np.array([2, 1, 0]), np.array([0.03, 0.5, -0.01]), 0.01)
    >>> outcome.signals, round(outcome.net_return, 6)
    (2, 0.01)
    """
    acted = action != Action.HOLD
    if not acted.any():
        return SignalOutcome(0, float("nan"))
    net = np.where(action[acted] == Action.BUY, 1.0, -1.0) * forward_return[acted] - cost
    return SignalOutcome(int(acted.sum()), float(net.mean()))


def would_act_at(policy: CalibratedPolicy, probabilities: FloatArray, voters: IntArray, members: int) -> float | None:
    """The largest least net return at which the policy, without other thresholds, gives a signal on these rows.

    Below 0, every signal has an expected loss. None if the quorum was never reached.
    """
    free = replace(policy, net_return=-np.inf, probability=0.0, unambiguous=False, conformal=None)
    decided = free.decide_frame(probabilities, voters, members)
    acted = decided.rule == CALIBRATED
    return float(decided.expected_return[acted].max()) if acted.any() else None
