"""Thresholds of the calibrated policy, fitted by grid search on rows that nothing else was fitted on.

The grid holds pairs of a least net return and a least probability, at quantiles of the rows, each with and without the
requirement of an unambiguous prediction set. Of those with enough signals, the one with the largest lower bound of the
mean net return is chosen: the mean less one standard error, for which overlapping labels count as one observation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from quorate.core.types import Action, ActionArray, BoolArray, FloatArray, IntArray
from quorate.ensemble.voting.calibrated_policy import CALIBRATED, CalibratedPolicy

# Quantiles of the rows at which thresholds are tried.
_QUANTILES = (0.5, 0.75, 0.9, 0.95, 0.98, 0.99)


@dataclass(frozen=True, slots=True, eq=False)
class PolicyRows:
    """Rows on which thresholds are fitted.

    Attributes:
        probabilities: (n, 3) of the ensemble; NaN where no member voted.
        voters: (n,) int64, number of members that voted.
        forward_return: (n,) fractions.
        block: (n,) int64; rows of one block count as one observation.
        limit: (n,) of the prediction sets; None without them.
        members: number of members in the manifest.
    """

    probabilities: FloatArray
    voters: IntArray
    forward_return: FloatArray
    block: IntArray
    limit: FloatArray | None
    members: int

    def __len__(self) -> int:
        return len(self.forward_return)

    def rows(self, chosen: BoolArray) -> PolicyRows:
        """The chosen rows."""
        return PolicyRows(
            self.probabilities[chosen],
            self.voters[chosen],
            self.forward_return[chosen],
            self.block[chosen],
            None if self.limit is None else self.limit[chosen],
            self.members,
        )


@dataclass(frozen=True, slots=True)
class SignalOutcome:
    """Mean outcome of signals.

    Attributes:
        signals: number of BUY and SELL signals.
        net_return: their mean return after a round trip's costs, a fraction; NaN without signals.
        error: standard error of the mean over blocks; infinite with fewer than two blocks.
    """

    signals: int
    net_return: float
    error: float

    def to_json(self) -> dict[str, Any]:
        """JSON object, in basis points; null where a value is not known."""
        return {
            "signals": self.signals,
            "net_bps": 1e4 * self.net_return if self.signals else None,
            "error_bps": 1e4 * self.error if np.isfinite(self.error) else None,
        }


#: The outcome without signals.
NO_SIGNALS = SignalOutcome(0, float("nan"), float("inf"))


def signal_outcome(action: ActionArray, forward_return: FloatArray, block: IntArray, cost: float) -> SignalOutcome:
    """Mean outcome of BUY and SELL signals, each from its bar's close to the label's end, less costs.

    >>> outcome = signal_outcome(np.array([2, 1, 0]), np.array([0.03, 0.5, -0.01]), np.array([0, 0, 1]), 0.01)
    >>> outcome.signals, round(outcome.net_return, 6)
    (2, 0.01)
    """
    acted = action != Action.HOLD
    n = int(acted.sum())
    if not n:
        return NO_SIGNALS
    net = np.where(action[acted] == Action.BUY, 1.0, -1.0) * forward_return[acted] - cost
    mean = float(net.mean())
    _, place = np.unique(block[acted], return_inverse=True)
    sums = np.bincount(place, net - mean)
    blocks = len(sums)
    error = float(np.sqrt((sums**2).sum() * blocks / (blocks - 1)) / n) if blocks > 1 else float("inf")
    return SignalOutcome(n, mean, error)


def fit_thresholds(policy: CalibratedPolicy, rows: PolicyRows, signals: int) -> tuple[CalibratedPolicy, SignalOutcome]:
    """Fit the thresholds of a policy by grid search.

    The expected return must exceed the costs whatever the thresholds. If no pair with enough signals has a lower bound
    above 0, the policy must not act: the least net return is then set above all expected returns of the rows.

    Args:
        policy: with its map, returns and costs; its thresholds are ignored.
        rows: to fit on.
        signals: least number of signals of a pair.

    Returns:
        The policy with its thresholds, and the outcome of its signals on the rows.
    """
    open_policy = replace(policy, net_return=0.0, probability=0.0, unambiguous=False)
    decided = open_policy.decide_frame(rows.probabilities, rows.voters, rows.members, rows.limit)
    paying = decided.rule == CALIBRATED
    best, best_bound, found = (
        open_policy,
        -np.inf,
        signal_outcome(decided.action, rows.forward_return, rows.block, policy.cost),
    )
    if not paying.any():
        return best, found
    unambiguous_only = paying
    if policy.conformal is not None:
        strict = replace(open_policy, unambiguous=True)
        unambiguous_only = (
            strict.decide_frame(rows.probabilities, rows.voters, rows.members, rows.limit).rule == CALIBRATED
        )
    for net_return in (0.0, *np.quantile(decided.expected_return[paying], _QUANTILES).tolist()):
        for probability in (0.0, *np.quantile(decided.confidence[paying], _QUANTILES).tolist()):
            enough = (decided.expected_return >= net_return) & (decided.confidence >= probability)
            for unambiguous, allowed in ((False, paying), (True, unambiguous_only))[
                : 1 + (policy.conformal is not None)
            ]:
                action = np.where(allowed & enough, decided.side, Action.HOLD)
                outcome = signal_outcome(action, rows.forward_return, rows.block, policy.cost)
                bound = outcome.net_return - outcome.error
                if outcome.signals >= signals and bound > best_bound:
                    tried = replace(policy, net_return=net_return, probability=probability, unambiguous=unambiguous)
                    best, best_bound, found = tried, bound, outcome
    if best_bound <= 0:
        # Above the largest expected return of these rows.
        never = float(np.nextafter(decided.expected_return[paying].max(), np.inf))
        return replace(open_policy, net_return=never), NO_SIGNALS
    return best, found


def would_act_at(policy: CalibratedPolicy, rows: PolicyRows) -> float | None:
    """The largest least net return at which the policy, without other thresholds, gives a signal on these rows.

    Below 0, every signal has an expected loss. None if the quorum was never reached.
    """
    open_policy = replace(policy, net_return=-np.inf, probability=0.0, unambiguous=False)
    decided = open_policy.decide_frame(rows.probabilities, rows.voters, rows.members, rows.limit)
    acted = decided.rule == CALIBRATED
    return float(decided.expected_return[acted].max()) if acted.any() else None
