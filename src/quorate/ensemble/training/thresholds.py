"""What a calibrated policy asks of a bar before it acts, fitted on rows that nothing else was fitted on.

Every pair of a least net return and a least probability, taken from the rows' own quantiles, with and without an
unambiguous prediction set, is tried. The pair with the best lower bound of the mean result wins, among those that leave
enough signals: the mean less one standard error, which takes rows whose labels overlap as one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from quorate.core.types import Action, ActionArray, BoolArray, FloatArray, IntArray
from quorate.ensemble.voting.calibrated_policy import CALIBRATED, CalibratedPolicy

# Shares of the rows that a threshold is tried at.
_SHARES = (0.5, 0.75, 0.9, 0.95, 0.98, 0.99)


@dataclass(frozen=True, slots=True, eq=False)
class PolicyChoice:
    """Rows to choose on.

    Attributes:
        probabilities: (n, 3) the ensemble's; NaN where no member voted.
        voters: (n,) int64, how many voted.
        forward_return: (n,) fractions.
        block: (n,) int64, rows of one block count as one observation.
        limit: (n,) of the prediction sets; None without them.
        members: in the manifest.
    """

    probabilities: FloatArray
    voters: IntArray
    forward_return: FloatArray
    block: IntArray
    limit: FloatArray | None
    members: int

    def __len__(self) -> int:
        return len(self.forward_return)

    def rows(self, chosen: BoolArray) -> PolicyChoice:
        """Some of them."""
        return PolicyChoice(
            self.probabilities[chosen],
            self.voters[chosen],
            self.forward_return[chosen],
            self.block[chosen],
            None if self.limit is None else self.limit[chosen],
            self.members,
        )


@dataclass(frozen=True, slots=True)
class Worth:
    """What signals came to.

    Attributes:
        signals: BUY and SELL.
        net_return: mean of them after a round trip's costs, a fraction; NaN without any.
        error: its standard error over blocks; infinite with fewer than two.
    """

    signals: int
    net_return: float
    error: float

    def to_json(self) -> dict[str, Any]:
        """JSON-safe: what is not known is null."""
        return {
            "signals": self.signals,
            "net_bps": 1e4 * self.net_return if self.signals else None,
            "error_bps": 1e4 * self.error if np.isfinite(self.error) else None,
        }


#: No signal at all.
NOTHING = Worth(0, float("nan"), float("inf"))


def worth(action: ActionArray, forward_return: FloatArray, block: IntArray, cost: float) -> Worth:
    """What each BUY and SELL earned on its own, from its bar's close to the label's end, less the costs.

    >>> made = worth(np.array([2, 1, 0]), np.array([0.03, 0.5, -0.01]), np.array([0, 0, 1]), 0.01)
    >>> made.signals, round(made.net_return, 6)
    (2, 0.01)
    """
    acted = action != Action.HOLD
    n = int(acted.sum())
    if not n:
        return NOTHING
    net = np.where(action[acted] == Action.BUY, 1.0, -1.0) * forward_return[acted] - cost
    mean = float(net.mean())
    _, place = np.unique(block[acted], return_inverse=True)
    sums = np.bincount(place, net - mean)
    blocks = len(sums)
    error = float(np.sqrt((sums**2).sum() * blocks / (blocks - 1)) / n) if blocks > 1 else float("inf")
    return Worth(n, mean, error)


def fit_thresholds(policy: CalibratedPolicy, rows: PolicyChoice, signals: int) -> tuple[CalibratedPolicy, Worth]:
    """The policy with the thresholds that did best, and what they left.

    A signal must be expected to pay for its costs whatever the thresholds. Where no choice with enough signals has a
    lower bound above 0, nothing speaks for acting: then the least net return lies above all that these rows promised.

    Args:
        policy: with its map, returns and costs; its thresholds do not count.
        rows: to choose on.
        signals: least number of them that a choice is judged by.
    """
    open_policy = replace(policy, net_return=0.0, probability=0.0, unambiguous=False)
    judged = open_policy.judge_frame(rows.probabilities, rows.voters, rows.members, rows.limit)
    paying = judged.rule == CALIBRATED
    best, best_bound, found = open_policy, -np.inf, worth(judged.action, rows.forward_return, rows.block, policy.cost)
    if not paying.any():
        return best, found
    alone = paying
    if policy.conformal is not None:
        strict = replace(open_policy, unambiguous=True)
        alone = strict.judge_frame(rows.probabilities, rows.voters, rows.members, rows.limit).rule == CALIBRATED
    for net_return in (0.0, *np.quantile(judged.expected_return[paying], _SHARES).tolist()):
        for probability in (0.0, *np.quantile(judged.confidence[paying], _SHARES).tolist()):
            enough = (judged.expected_return >= net_return) & (judged.confidence >= probability)
            for unambiguous, allowed in ((False, paying), (True, alone))[: 1 + (policy.conformal is not None)]:
                action = np.where(allowed & enough, judged.side, Action.HOLD)
                made = worth(action, rows.forward_return, rows.block, policy.cost)
                bound = made.net_return - made.error
                if made.signals >= signals and bound > best_bound:
                    tried = replace(policy, net_return=net_return, probability=probability, unambiguous=unambiguous)
                    best, best_bound, found = tried, bound, made
    if best_bound <= 0:
        # Above the highest expectation of these rows.
        shut = float(np.nextafter(judged.expected_return[paying].max(), np.inf))
        return replace(open_policy, net_return=shut), NOTHING
    return best, found


def would_act_at(policy: CalibratedPolicy, rows: PolicyChoice) -> float | None:
    """The least net return at which the policy, asking for nothing else, would have given its first signal.

    Below 0, it would have to act at an expected loss. None where no member voted, or never enough of them.
    """
    open_policy = replace(policy, net_return=-np.inf, probability=0.0, unambiguous=False)
    judged = open_policy.judge_frame(rows.probabilities, rows.voters, rows.members, rows.limit)
    acted = judged.rule == CALIBRATED
    return float(judged.expected_return[acted].max()) if acted.any() else None
