"""Weights of the members on every row, and what they make of the scores: the pooled scores, and those of the vote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from quorate.core.settings import VoteSettings
from quorate.core.types import Action, FloatArray, finite_rows
from quorate.ensemble.voting.vote_frame import Decisions, decide_frame
from quorate.evaluation.out_of_fold import MemberPredictions

# The smallest weight that is written as a setting, and that `vote.weights` takes.
_WRITTEN, _LEAST = 1e-4, 1e-6


class Weighting(Protocol):
    """What was fitted: weights for any rows."""

    def table(self, rows: MemberPredictions) -> FloatArray:
        """(n, M) weights of the members on the rows, in their order; each row sums to 1."""
        ...

    def to_json(self) -> dict[str, Any]:
        """The parameters, JSON-safe."""
        ...


@dataclass(frozen=True, slots=True)
class FixedWeights:
    """The same weights on every row, such as those of `vote.weights`."""

    weights: Mapping[str, float]

    def table(self, rows: MemberPredictions) -> FloatArray:
        """(n, M) weights."""
        own = np.array([self.weights[name] for name in rows.members])
        return np.broadcast_to(own / own.sum(), (len(rows), len(own)))

    def to_json(self) -> dict[str, Any]:
        """Member -> weight."""
        return {name: float(weight) for name, weight in self.weights.items()}


def fixed(rows: MemberPredictions, weights: FloatArray) -> FixedWeights:
    """Weights of the members of some rows, as shares."""
    return FixedWeights(dict(zip(rows.members, (weights / weights.sum()).tolist(), strict=True)))


def pooled(rows: MemberPredictions, table: FloatArray) -> FloatArray:
    """(n, 3) mean of the members' scores by (n, M) weights over those that voted: `mean_scores`, weights by row."""
    total, weights = np.zeros((len(rows), len(Action))), np.zeros(len(rows))
    for place, scores in enumerate(rows.members.values()):
        voted = finite_rows(scores)
        own = np.where(voted, table[:, place], 0.0)
        total += own[:, None] * np.where(voted[:, None], scores, 0.0)
        weights += own
    return np.asarray(total / weights[:, None])


def true_scores(rows: MemberPredictions) -> FloatArray:
    """(n, M) score that each member gave to the class that came true; NaN where it abstained."""
    at = np.arange(len(rows))
    return np.column_stack(
        [np.where(finite_rows(scores), scores[at, rows.y], np.nan) for scores in rows.members.values()]
    )


def voted_scores(
    rows: MemberPredictions, weights: Mapping[str, float], vote: VoteSettings, prior: FloatArray
) -> FloatArray:
    """(n, 3) scores of the vote itself: its confidence for the winner, the rest among the others as in the prior.

    A conflict has no winner and gets the prior. Gates and floor are left out: they decide whether to act on a winner.

    Args:
        rows: with the members' scores.
        weights: of the members, positive.
        vote: its other rules.
        prior: (3,) or (n, 3) positive class shares.
    """
    open_vote = replace(
        vote,
        weights=_positive(weights),
        quorum=0.0,
        floor=0.0,
        lowered_floor=0.0,
        volatility_limit=10.0,
        volatility_base=0.0,
    )
    calm = np.zeros(len(rows))
    decided = decide_frame(rows.members, calm, policy=open_vote)
    shares = np.broadcast_to(prior, (len(rows), len(Action)))
    at = np.arange(len(rows))
    winner, confidence = decided.action.astype(np.int64), decided.confidence
    others = shares * ((1 - confidence) / (1 - shares[at, winner]))[:, None]
    others[at, winner] = confidence
    return np.where(np.isin(decided.rule, ("conflict", "no_votes"))[:, None], shares, others)


def decisions(rows: MemberPredictions, weights: Mapping[str, float], vote: VoteSettings) -> Decisions:
    """Decisions of the classic vote with these weights."""
    return decide_frame(rows.members, rows.volatility, policy=replace(vote, weights=_positive(weights)))


def settable(weights: Mapping[str, float]) -> dict[str, float]:
    """Weights as `vote.weights` takes them: four digits, none below 0.0001.

    >>> settable({"xgboost": 0.7, "nhits": 1e-12, "patchtst": 0.29996})
    {'xgboost': 0.7, 'nhits': 0.0001, 'patchtst': 0.3}
    """
    return {name: max(_WRITTEN, round(float(weight), 4)) for name, weight in weights.items()}


def _positive(weights: Mapping[str, float]) -> dict[str, float]:
    return {name: max(_LEAST, float(weight)) for name, weight in weights.items()}
