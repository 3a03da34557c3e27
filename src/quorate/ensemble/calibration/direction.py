"""How far a member's direction is believed: the factor of its move head, fitted out of fold.

The factor multiplies the log-odds of BUY against SELL. Its estimate is the slope of a logistic regression without an
intercept over rows that moved, so that no side is favoured; its error counts the rows of a day over all markets as one
observation. The estimate is shrunk towards 0 by that error. A direction without evidence keeps a twentieth of its
log-odds: the member still has a side, on which a vote can be counted, and next to no confidence in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from quorate.core.types import Action, ActionArray, FloatArray, IntArray
from quorate.ensemble.evidence.days import day_numbers
from quorate.models.move_head import direction

_MAX_STEPS, _TOLERANCE = 50, 1e-10

# The least factor: at it the direction of noise costs less than 0.01 points of skill.
LEAST_FACTOR = 0.05

# Fewest days with rows that moved: below, an error over days is not known.
_DAYS = 5


@dataclass(frozen=True, slots=True)
class DirectionFit:
    """Factor of a member's direction.

    Attributes:
        factor: of the move head, `LEAST_FACTOR` to 1.
        estimate: slope before it is shrunk; 1 for log-odds that are probabilities, 0 for noise. NaN if not known.
        error: its standard error over days; NaN if not known.
        rows: number of rows that moved.
        days: on which they lie.
    """

    factor: float
    estimate: float
    error: float
    rows: int
    days: int

    def to_json(self) -> dict[str, Any]:
        """JSON object for the manifest; null where a value is not known."""
        known = bool(np.isfinite(self.estimate))
        return {
            "factor": self.factor,
            "estimate": self.estimate if known else None,
            "error": self.error if known else None,
            "rows": self.rows,
            "days": self.days,
        }


def fit_direction(scores: FloatArray, y: ActionArray, time: IntArray) -> DirectionFit:
    """Fit the factor on rows that the member was not fitted on.

    Args:
        scores: (n, 3); NaN rows are left out.
        y: (n,) true classes.
        time: (n,) int64 open times in ms.

    >>> rng = np.random.default_rng(0)
    >>> time, up = 3_600_000 * np.arange(2_000), rng.uniform(0.2, 0.8, 2_000)
    >>> scores = np.stack([(1 - up) / 2, np.full(2_000, 0.5), up / 2], axis=1)
    >>> truth = np.where(rng.random(2_000) < up, 2, 0)
    >>> fit_direction(scores, truth, time).factor > 0.8
    True
    >>> fit_direction(scores, rng.permutation(truth), time).factor < 0.3
    True
    """
    used = np.isfinite(scores).all(axis=1) & (y != Action.HOLD)
    x, up = direction(scores[used]), (y[used] == Action.BUY).astype(np.float64)
    day, days = day_numbers(time[used])
    rows = len(x)
    if days < _DAYS or not (x * x).sum() > 0:
        return DirectionFit(LEAST_FACTOR, float("nan"), float("nan"), rows, days)
    slope = 0.0
    for _ in range(_MAX_STEPS):
        chance = _logistic(slope * x)
        step = ((up - chance) * x).sum() / (chance * (1 - chance) * x * x).sum()
        slope += float(np.clip(step, -1.0, 1.0))
        if abs(step) < _TOLERANCE:
            break
    chance = _logistic(slope * x)
    gradients = np.bincount(day, (up - chance) * x, days)
    error = float(np.sqrt((gradients**2).sum() * days / (days - 1)) / (chance * (1 - chance) * x * x).sum())
    believed = max(0.0, 1 - (error / slope) ** 2) if slope > 0 else 0.0
    return DirectionFit(min(1.0, max(LEAST_FACTOR, slope * believed)), slope, error, rows, days)


def _logistic(x: FloatArray) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -50.0, 50.0))))
