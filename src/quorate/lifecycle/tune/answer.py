"""Probabilities for one question, of scores that were learned for another.

Members that were trained on labels of another horizon or band answer another question. Their losses cannot be compared:
a wide band makes nearly every bar a HOLD, which is easy to forecast and of no use. All trials therefore answer the same
question, the target of the settings, on the same rows. Their scores are mapped to it by two logistic regressions that
are fitted on rows after the training rows and before the test rows:

    log odds of BUY or SELL     = a0 + a1 * log((p_sell + p_buy) / p_hold)
    log odds of BUY among these = b0 + b1 * log(p_buy / p_sell)

Slopes are at least 0, so that the mapping does not turn a forecast round. It is fitted for every trial, also for those
with the question's own labels, for which it is a calibration (Platt 1999).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from quorate.core.types import Action, ActionArray, BoolArray, FloatArray, finite_rows

_SMALLEST = 1e-6
# Weight of the identity, in rows: with few rows the scores stay as they are.
_ROWS = 10.0
_STEEPEST = 10.0


@dataclass(frozen=True, slots=True)
class AnswerMap:
    """Intercept and slope of both regressions; the identity by default.

    >>> scores = np.array([[0.2, 0.3, 0.5]])
    >>> AnswerMap().probabilities(scores).round(6).tolist()
    [[0.2, 0.3, 0.5]]
    >>> AnswerMap(side=(0.0, 0.0)).probabilities(scores).round(6).tolist()
    [[0.35, 0.3, 0.35]]
    """

    move: tuple[float, float] = (0.0, 1.0)
    side: tuple[float, float] = (0.0, 1.0)

    @classmethod
    def fit(cls, scores: FloatArray, y: ActionArray) -> Self:
        """Fit on (n, 3) scores and the (n,) classes that came true; rows with NaN are left out."""
        voted = finite_rows(scores)
        move, side = _log_odds(scores[voted])
        moved: BoolArray = y[voted] != Action.HOLD
        return cls(_regression(move, moved), _regression(side[moved], y[voted][moved] == Action.BUY))

    def probabilities(self, scores: FloatArray) -> FloatArray:
        """(n, 3) probabilities of (n, 3) scores; NaN where these are NaN."""
        move, side = _log_odds(scores)
        moves, buys = _logistic(self.move[0] + self.move[1] * move), _logistic(self.side[0] + self.side[1] * side)
        return np.stack([moves * (1 - buys), 1 - moves, moves * buys], axis=1)


def _log_odds(scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(n,) log odds of a move, and of BUY among moves."""
    sell, hold, buy = np.maximum(scores, _SMALLEST).T
    return np.log((sell + buy) / hold), np.log(buy / sell)


def _logistic(x: FloatArray) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-x)))


def _regression(x: FloatArray, positive: BoolArray) -> tuple[float, float]:
    """Intercept and slope with the smallest log-loss plus that of a distance from the identity."""
    from scipy.optimize import minimize

    if not len(x):
        return 0.0, 1.0
    sign = np.where(positive, 1.0, -1.0)

    def objective(at: FloatArray) -> tuple[float, FloatArray]:
        odds = at[0] + at[1] * x
        short = -sign * _logistic(-sign * odds)
        apart = at - (0.0, 1.0)
        loss = float(np.logaddexp(0.0, -sign * odds).sum()) + _ROWS / 2 * float(apart @ apart)
        slope = np.array([short.sum(), short @ x]) + _ROWS * apart
        return loss / len(x), slope / len(x)

    found = minimize(
        objective, np.array([0.0, 1.0]), jac=True, method="L-BFGS-B", bounds=[(None, None), (0.0, _STEEPEST)]
    )
    return float(found.x[0]), float(found.x[1])
