"""Ways to weigh the members, each fitted on rows that lie before those it is judged on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol

import numpy as np

from quorate.core.clock import DAY_MS
from quorate.core.settings import Settings, VoteSettings, WeightSettings
from quorate.core.types import CLASS_NAMES, ActionArray, FloatArray
from quorate.evaluation.metrics.classification import row_log_loss
from quorate.evaluation.out_of_fold import MemberPredictions
from quorate.evaluation.statistics.pool_weights import pool_weights
from quorate.lifecycle.weights.evolve import evolve
from quorate.lifecycle.weights.gate import Gate
from quorate.lifecycle.weights.weighting import FixedWeights, Weighting, fixed, pooled, true_scores, voted_scores

#: Whose log-loss: of the members' weighted mean scores, or of the vote's own scores.
Loss = Literal["pool", "vote"]


class Scheme(Protocol):
    """A way to fit weights.

    Attributes:
        name: in tables.
        strengths: of its shrinkage, from which one is chosen; infinity is no fit at all.
        loss: what it minimises, and is chosen and judged by.
    """

    @property
    def name(self) -> str: ...
    @property
    def strengths(self) -> tuple[float, ...]: ...
    @property
    def loss(self) -> Loss: ...
    def fit(self, rows: MemberPredictions, strength: float) -> Weighting:
        """Fit weights on some rows."""
        ...


@dataclass(frozen=True, slots=True)
class Unfitted:
    """Weights that nothing was fitted for, such as equal ones."""

    name: str
    weights: Mapping[str, float]
    loss: Loss = "pool"
    strengths: tuple[float, ...] = (math.inf,)

    def fit(self, rows: MemberPredictions, strength: float) -> FixedWeights:  # noqa: ARG002 - as every scheme
        """The weights."""
        return fixed(rows, np.array([self.weights[name] for name in rows.members]))


@dataclass(frozen=True, slots=True)
class Convex:
    """Convex optimisation of the log-loss of the pooled scores, shrunk to the documented weights."""

    documented: Mapping[str, float]
    settings: WeightSettings
    name: str = "convex"
    loss: Loss = "pool"

    @property
    def strengths(self) -> tuple[float, ...]:
        """Strengths of the Dirichlet prior."""
        return (*self.settings.strengths, math.inf)

    def fit(self, rows: MemberPredictions, strength: float) -> FixedWeights:
        """Weights by `pool_weights`."""
        part = thinned(rows, self.settings.rows)
        return fixed(rows, pool_weights(true_scores(part), anchor_of(rows, self.documented), strength))


@dataclass(frozen=True, slots=True)
class Evolved:
    """Evolution by the log-loss of the vote's own scores, shrunk to the documented weights."""

    documented: Mapping[str, float]
    settings: WeightSettings
    vote: VoteSettings
    seed: int
    name: str = "evolved"
    loss: Loss = "vote"

    @property
    def strengths(self) -> tuple[float, ...]:
        """Factors of the divergence from the documented weights."""
        return (*self.settings.strengths, math.inf)

    def fit(self, rows: MemberPredictions, strength: float) -> FixedWeights:
        """Weights by `evolve`."""
        part = thinned(rows, self.settings.evolved_rows)
        loss = partial(_vote_loss, part, self.vote, class_shares(part.y))
        chosen = self.settings
        return fixed(
            rows,
            evolve(
                loss,
                anchor_of(rows, self.documented),
                strength,
                evaluations=chosen.evaluations,
                spread=chosen.spread,
                seed=self.seed,
            ),
        )


@dataclass(frozen=True, slots=True)
class Gated:
    """Weights by the regime of the bar, shrunk to the documented weights."""

    documented: Mapping[str, float]
    settings: WeightSettings
    name: str = "gated"
    loss: Loss = "pool"

    @property
    def strengths(self) -> tuple[float, ...]:
        """Penalties of the coefficients."""
        return (*self.settings.penalties, math.inf)

    def fit(self, rows: MemberPredictions, strength: float) -> Gate:
        """A gate."""
        return Gate.fit(thinned(rows, self.settings.rows), anchor_of(rows, self.documented), strength)


def schemes_of(members: tuple[str, ...], settings: Settings) -> tuple[Scheme, ...]:
    """Equal, documented, and where they differ configured weights; then the fitted ones."""
    documented = shares({name: VoteSettings().weight(name) for name in members})
    configured = shares({name: settings.vote.weight(name) for name in members})
    chosen = settings.weights
    rivals = [Unfitted("equal", shares(dict.fromkeys(members, 1.0))), Unfitted("documented", documented)]
    if any(abs(configured[name] - documented[name]) > 1e-9 for name in members):
        rivals.append(Unfitted("configured", configured))
    return (
        *rivals,
        Convex(documented, chosen),
        Evolved(documented, chosen, settings.vote, settings.evaluation.seed),
        Gated(documented, chosen),
    )


def row_losses(
    rows: MemberPredictions, weighting: Weighting, loss: Loss, vote: VoteSettings, prior: FloatArray
) -> FloatArray:
    """(n,) log-loss of each row, in nats, by what a scheme is judged on.

    Args:
        rows: not those that the weighting was fitted on.
        weighting: for "vote" one with fixed weights.
        loss: pool or vote.
        vote: rules of the vote.
        prior: (3,) or (n, 3) class shares, for a conflict of the vote.
    """
    if loss == "vote" and isinstance(weighting, FixedWeights):
        return row_log_loss(rows.y, voted_scores(rows, weighting.weights, vote, prior))
    return row_log_loss(rows.y, pooled(rows, weighting.table(rows)))


def thinned(rows: MemberPredictions, most: int) -> MemberPredictions:
    """The rows, or where they are too many whole bars at an even distance: labels of neighbours overlap anyway.

    The distance has no common divisor with a day, so that every hour of the day stays.
    """
    if len(rows) <= most:
        return rows
    step, day = -(-len(rows) // most), max(1, DAY_MS // rows.bar_ms)
    while math.gcd(step, day) > 1:
        step += 1
    return rows.select(rows.time // rows.bar_ms % step == 0)


def class_shares(y: ActionArray) -> FloatArray:
    """(3,) positive shares of (n,) classes, one row of each added."""
    return np.asarray((np.bincount(y, minlength=len(CLASS_NAMES)) + 1) / (len(y) + len(CLASS_NAMES)))


def anchor_of(rows: MemberPredictions, weights: Mapping[str, float]) -> FloatArray:
    """(M,) weights in the order of the rows' members."""
    return np.array([weights[name] for name in rows.members])


def shares(weights: Mapping[str, float]) -> dict[str, float]:
    """Weights that sum to 1."""
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()}


def _vote_loss(rows: MemberPredictions, vote: VoteSettings, prior: FloatArray, weights: FloatArray) -> float:
    own = dict(zip(rows.members, weights.tolist(), strict=True))
    return float(row_log_loss(rows.y, voted_scores(rows, own, vote, prior)).mean())
