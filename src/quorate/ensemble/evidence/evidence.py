"""The evidence for a policy: candidates measured by day, the best of them judged, and the verdict in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from quorate.core.text.plural import counted
from quorate.core.types import Action, ActionArray, FloatArray, IntArray, Policy
from quorate.ensemble.evidence.best_of_many import best_of_many
from quorate.ensemble.evidence.days import day_means

#: Least share of the signals on the rarer side, where both sides are asked for.
RARER_SHARE = 0.1

#: Rows of the table that are kept.
MOST_ROWS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A policy, or a pair of thresholds of one, and what its signals earned.

    Attributes:
        policy: its name.
        name: with its thresholds.
        values: (days,) mean net return of each day's signals over all markets, a fraction; NaN without a signal.
        signals: their number.
        buys: number of BUY among them.
    """

    policy: Policy
    name: str
    values: FloatArray
    signals: int
    buys: int

    @property
    def days(self) -> int:
        """Days with a signal."""
        return int(np.isfinite(self.values).sum())

    def lacks(self, requirements: Requirements) -> str:
        """What keeps it from being chosen whatever it earned; "" if nothing does."""
        if self.days < requirements.days:
            return f"signals on {counted(self.days, 'day')}, of at least {requirements.days}"
        if self.signals < requirements.signals:
            return f"{counted(self.signals, 'signal')}, of at least {requirements.signals}"
        rarer = min(self.buys, self.signals - self.buys)
        if requirements.sides == "both" and rarer < RARER_SHARE * self.signals:
            return f"{rarer} of {self.signals} signals on the rarer side, of at least {RARER_SHARE:.0%}"
        return ""


def candidate(
    policy: Policy,
    name: str,
    action: ActionArray,
    forward_return: FloatArray,
    day: IntArray,
    days: int,
    cost: float,
) -> Candidate:
    """Measure the signals of a candidate.

    Args:
        policy: its name.
        name: with its thresholds.
        action: (n,) decisions.
        forward_return: (n,) fractions, from the bar's close to the label's end.
        day: (n,) int64 number of each row's day.
        days: number of days.
        cost: of a round trip, a fraction.

    >>> day = np.array([0, 0, 1, 2])
    >>> found = candidate("classic", "", np.array([2, 0, 0, 1]), np.array([0.03, 0.01, -0.02, 0.5]), day, 3, 0.001)
    >>> found.values.round(6).tolist(), found.signals, found.buys
    ([0.009, 0.019, nan], 3, 1)
    """
    acted = action != Action.HOLD
    net = np.where(action[acted] == Action.BUY, 1.0, -1.0) * forward_return[acted] - cost
    values = day_means(net, day[acted], days)
    return Candidate(policy, name, values, int(acted.sum()), int((action == Action.BUY).sum()))


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a candidate needs besides a lower bound above 0.

    Attributes:
        days: fewest days with signals.
        signals: fewest signals.
        sides: whether both sides must have signals.
    """

    days: int
    signals: int
    sides: Literal["both", "any"]


@dataclass(frozen=True, slots=True)
class Measured:
    """A candidate's row of the table; returns are fractions, None where not known.

    Attributes:
        verdict: "best", "acts", what it lacks, or "" for others.
    """

    name: str
    policy: Policy
    days: int
    signals: int
    buys: int
    net: float | None
    lower: float | None
    upper: float | None
    verdict: str

    def to_json(self) -> dict[str, Any]:
        """JSON object, in basis points; null where a value is not known."""
        return {
            "candidate": self.name,
            "policy": self.policy,
            "days": self.days,
            "signals": self.signals,
            "buy_share": self.buys / self.signals if self.signals else None,
            "net_bps": _bps(self.net),
            "lower_bps": _bps(self.lower),
            "upper_bps": _bps(self.upper),
            "required_bps": 0.0,
            "verdict": self.verdict,
        }


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the rows out of fold say about acting.

    Attributes:
        policy: the policy that they justify; "closed" if none.
        text: why, in one sentence with its numbers.
        table: the best candidates, at most ten.
        candidates: number of candidates.
        eligible: number of those with enough days, signals and sides.
        days: number of days with rows.
        best: place of the best candidate; None without an eligible one.
    """

    policy: Policy
    text: str
    table: tuple[Measured, ...]
    candidates: int
    eligible: int
    days: int
    best: int | None

    def closed(self, reason: str) -> Evidence:
        """The same evidence with a further reason not to act."""
        return replace(self, policy="closed", text=f"closed: {reason}")

    def to_json(self) -> dict[str, Any]:
        """JSON object for the manifest."""
        return {
            "policy": self.policy,
            "text": self.text,
            "candidates": self.candidates,
            "eligible": self.eligible,
            "days": self.days,
            "table": [row.to_json() for row in self.table],
        }


def judge(candidates: Sequence[Candidate], requirements: Requirements, seed: int) -> Evidence:
    """Judge the best candidate against the best of as many without merit.

    Args:
        candidates: at least one, over the same days.
        requirements: besides the bound.
        seed: of the resamples.
    """
    values = np.stack([one.values for one in candidates], axis=1)
    lacks = [one.lacks(requirements) for one in candidates]
    found = best_of_many(values, np.array([not lack for lack in lacks]), seed=seed)
    best = found.best
    acts = best is not None and bool(found.lower[best] > 0)
    rows = [
        Measured(
            one.name,
            one.policy,
            one.days,
            one.signals,
            one.buys,
            _known(found.mean[place]),
            _known(found.lower[place]),
            _known(found.upper[place]),
            ("acts" if acts else "best") if place == best else lacks[place],
        )
        for place, one in enumerate(candidates)
    ]
    policy: Policy = "closed"
    if best is None:
        text = f"closed: {_none_eligible(candidates, requirements)}"
    else:
        bounds = f"[{1e4 * found.lower[best]:.1f}, {1e4 * found.upper[best]:.1f}]"
        policy = candidates[best].policy if acts else "closed"
        text = (
            f"{policy}: best of {len(candidates)} candidates ({candidates[best].name}) earned "
            f"{1e4 * found.mean[best]:.1f} bps a signal {bounds} over {found.days[best]} days; "
            f"needed a lower bound above 0"
        )
    with np.errstate(invalid="ignore", divide="ignore"):
        order = np.argsort(np.where(np.isfinite(found.lower), -found.mean / found.error, np.inf), kind="stable")
    # Policies by name first, then the best pairs of thresholds.
    named = [place for place, one in enumerate(candidates) if one.policy != "calibrated"]
    shown = (named + [place for place in order.tolist() if place not in named])[:MOST_ROWS]
    if best is not None and best not in shown:
        shown[-1] = best
    eligible = sum(not lack for lack in lacks)
    return Evidence(policy, text, tuple(rows[place] for place in shown), len(candidates), eligible, len(values), best)


def _none_eligible(candidates: Sequence[Candidate], requirements: Requirements) -> str:
    most = max(candidates, key=lambda one: (one.days, one.signals))
    if not most.signals:
        return f"no candidate of {len(candidates)} gave a signal"
    return (
        f"no candidate of {len(candidates)} could be judged: the one with most signals, {most.name}, has "
        f"{most.lacks(requirements)}"
    )


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _bps(value: float | None) -> float | None:
    return None if value is None else 1e4 * value
