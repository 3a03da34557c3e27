"""Weights of a linear pool: the maximum a posteriori under a Dirichlet prior, by a monotone iteration.

The pool of a row is sum_j w_j p_j / sum_j w_j over the models that voted on it, and p_j the probability that model j
gave to what happened. Weights minimise

    mean over the rows of -ln(pool)  +  strength * sum_j anchor_j * -ln(w_j / sum w)

The last term is, up to a constant, `strength` times the Kullback-Leibler divergence of the weights from the anchor: a
Dirichlet prior worth `strength` times as many rows as there are. Strength 0 is maximum likelihood, an infinite one the
anchor. Where every model votes on every row, the objective is convex in the weights of the simplex, and the iteration
is the EM algorithm of mixture weights.

Reference: Geweke and Amisano (2011), Optimal prediction pools, Journal of Econometrics 164, 130-141; for abstentions
the minorisation of Hunter (2004), MM algorithms for generalized Bradley-Terry models, Annals of Statistics 32,
384-406; extrapolation by Varadhan and Roland (2008), Scandinavian Journal of Statistics 35, 335-353, taken only where
it gains more than two plain steps.
"""

from __future__ import annotations

import math

import numpy as np

from quorate.core.errors import EvaluationError
from quorate.core.types import BoolArray, FloatArray

_TINY = 1e-300  # of a probability of 0, whose logarithm has to be finite
_LEAST = 1e-12  # of a weight: one of exactly 0 could not return, nor serve rows on which its model voted alone
_MOST_STEPS = 2_000
_CLOSE = 1e-10  # decrease of the objective, in nats, below which the weights have converged


def pool_weights(probabilities: FloatArray, anchor: FloatArray, strength: float) -> FloatArray:
    """(M,) weights that sum to 1.

    Args:
        probabilities: (n, M) probability that each model gave to the class that came true; NaN where it abstained.
        anchor: (M,) positive weights towards which the result is shrunk.
        strength: of the shrinkage, at least 0; infinity gives the anchor.

    Raises:
        EvaluationError: no row with a vote, an anchor that is not positive, or a negative strength.

    >>> right, noise = np.array([0.6, 0.6, 0.6]), np.array([0.2, 0.4, 0.3])
    >>> table, equal = np.column_stack([right, noise]), np.array([0.5, 0.5])
    >>> pool_weights(table, equal, 0).round(3).tolist(), pool_weights(table, equal, 1).round(3).tolist()
    ([1.0, 0.0], [0.643, 0.357])
    """
    voted = np.isfinite(probabilities)
    rows = voted.any(axis=1)
    if not rows.any() or not (anchor > 0).all() or not strength >= 0:
        raise EvaluationError(
            "fit weights",
            found=f"{int(rows.sum())} rows with a vote, an anchor {anchor.tolist()} and strength {strength}",
            expected="at least one row, positive weights and a strength of at least 0",
        )
    anchor = anchor / anchor.sum()
    if math.isinf(strength):
        return anchor
    fitted = _Pool(probabilities[rows], voted[rows], anchor, strength)
    weights, loss = anchor, fitted.loss(anchor)
    for _ in range(_MOST_STEPS):
        first = fitted.step(weights)
        second = fitted.step(first)
        change, bend = first - weights, (second - first) - (first - weights)
        following, next_loss = second, fitted.loss(second)
        curvature = float(bend @ bend)
        if curvature > 0:
            length = -math.sqrt(float(change @ change) / curvature)
            ahead = weights - 2 * length * change + length * length * bend
            if length < -1 and (ahead > 0).all():
                ahead = fitted.step(ahead / ahead.sum())
                if (ahead_loss := fitted.loss(ahead)) < next_loss:
                    following, next_loss = ahead, ahead_loss
        gained, weights, loss = loss - next_loss, following, next_loss
        if gained < _CLOSE:
            break
    return weights


def pool_objective(probabilities: FloatArray, anchor: FloatArray, strength: float, weights: FloatArray) -> float:
    """What `pool_weights` minimises, at (M,) positive weights and a finite strength."""
    voted = np.isfinite(probabilities)
    rows = voted.any(axis=1)
    return _Pool(probabilities[rows], voted[rows], anchor / anchor.sum(), strength).loss(weights / weights.sum())


class _Pool:
    """The objective and its step on fixed rows, each of which has a vote."""

    def __init__(self, probabilities: FloatArray, voted: BoolArray, anchor: FloatArray, strength: float) -> None:
        self._p = np.where(voted, np.maximum(probabilities, _TINY), 0.0)
        self._voted = None if voted.all() else voted.astype(np.float64)
        self._anchor, self._strength = anchor, strength

    def loss(self, weights: FloatArray) -> float:
        """The objective at (M,) weights that sum to 1."""
        total = np.log(self._p @ weights).mean()
        if self._voted is not None:
            total -= np.log(self._voted @ weights).mean()
        if not self._strength:
            return float(-total)
        return float(-total - self._strength * (self._anchor @ np.log(np.maximum(weights, _TINY))))

    def step(self, weights: FloatArray) -> FloatArray:
        """Weights with at most the same objective: what each model explained, over how much it was asked."""
        n = len(self._p)
        explained = weights * ((1 / (self._p @ weights)) @ self._p) / n
        asked = np.ones(len(weights)) if self._voted is None else (1 / (self._voted @ weights)) @ self._voted / n
        found = np.maximum((explained + self._strength * self._anchor) / (asked + self._strength), _LEAST)
        return np.asarray(found / found.sum())
