"""Probability that a predicted return has the right sign, given its size.

Fitted on predictions out of fold by isotonic regression, so that it never falls with the size of the prediction. It is
below 0.5 where the stack's sign was wrong more often than right.

Ayer, Brunk, Ewing, Reid and Silverman (1955), the pool-adjacent-violators algorithm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from quorate.core.types import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class SignProbability:
    """A non-decreasing, piecewise linear curve over the size of the prediction, constant outside its knots.

    Attributes:
        size: (k,) float64 sizes of predicted returns, increasing, fractions.
        probability: (k,) at each size, non-decreasing.

    >>> SignProbability(np.array([0.01, 0.02]), np.array([0.5, 0.6])).at(np.array([0.0, -0.015, 0.03, np.nan]))
    array([0.5 , 0.55, 0.6 ,  nan])
    """

    size: FloatArray
    probability: FloatArray

    def at(self, predicted: FloatArray) -> FloatArray:
        """(n,) probability for (n,) predicted returns; NaN for NaN."""
        found = np.interp(np.abs(predicted), self.size, self.probability)
        return np.where(np.isnan(predicted), np.nan, found)


def fit_sign_probability(predicted: FloatArray, y: FloatArray, least: int = 1) -> SignProbability:
    """Fit the curve by pool-adjacent-violators on the share of right signs.

    The curve is 0 if all predictions are 0.

    Args:
        predicted: (n,) out of fold, fractions; predictions of exactly 0 have no sign and are left out.
        y: (n,) actual returns; for a return of 0 no sign is right.
        least: least number of rows for a step of the curve, if there are as many.
    """
    signed = predicted != 0
    if not signed.any():
        return SignProbability(np.zeros(1), np.zeros(1))
    right = np.sign(predicted[signed]) == np.sign(y[signed])
    sizes, place = np.unique(np.abs(predicted[signed]), return_inverse=True)
    count = np.asarray(np.bincount(place), np.float64)
    hits = np.asarray(np.bincount(place, right), np.float64)
    steps: list[_Step] = []
    for step in _steps(count, hits, least):
        steps.append(step)
        while len(steps) > 1 and steps[-2].share >= steps[-1].share:
            late, early = steps.pop(), steps.pop()
            steps.append(_Step(early.hits + late.hits, early.rows + late.rows, early.first, late.last))
    knots = {float(sizes[end]): step.share for step in steps for end in (step.first, step.last)}
    return SignProbability(np.array(list(knots)), np.array(list(knots.values())))


class _Step(NamedTuple):
    """Sizes with one share of right signs, from index `first` to `last` of all sizes."""

    hits: float
    rows: float
    first: int
    last: int

    @property
    def share(self) -> float:
        return self.hits / self.rows


def _steps(count: FloatArray, hits: FloatArray, least: int) -> list[_Step]:
    """Adjacent sizes grouped to at least `least` rows each; a remainder joins the last group."""
    steps: list[_Step] = []
    first = 0
    for last in range(len(count)):
        rows = float(count[first : last + 1].sum())
        if rows >= least or (last == len(count) - 1 and not steps):
            steps.append(_Step(float(hits[first : last + 1].sum()), rows, first, last))
            first = last + 1
    if first < len(count):
        whole = steps.pop()
        rest = float(hits[first:].sum()), float(count[first:].sum())
        steps.append(_Step(whole.hits + rest[0], whole.rows + rest[1], whole.first, len(count) - 1))
    return steps
