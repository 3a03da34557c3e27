"""How probable it is that a predicted return has the right sign, given its size.

Fitted on predictions out of fold: isotonic, so that a larger predicted return is never less believed. It may lie below
a half, where the stack's sign was wrong more often than right.

Ayer, Brunk, Ewing, Reid and Silverman (1955), the pool-adjacent-violators algorithm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from quorate.core.types import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class SignProbability:
    """A rising curve over sizes.

    Attributes:
        size: (k,) float64 sizes of predicted returns, rising, fractions.
        probability: (k,) at each of them, never falling; a straight line between two, level outside.

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
    """Pool sizes until the share of right signs rises with them.

    Args:
        predicted: (n,) out of fold, fractions; one of exactly 0 has no sign and is left out.
        y: (n,) what the return was; one of 0 proves no sign right.
        least: rows that each step of the curve rests on, where there are as many.

    Where every prediction is 0 there is no sign to be right about: the curve is 0 throughout.
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
    """Sizes of one share of right signs, from the place `first` to `last` among them all."""

    hits: float
    rows: float
    first: int
    last: int

    @property
    def share(self) -> float:
        return self.hits / self.rows


def _steps(count: FloatArray, hits: FloatArray, least: int) -> list[_Step]:
    """Neighbouring sizes together until there are `least` rows; what is left over belongs to the last."""
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
