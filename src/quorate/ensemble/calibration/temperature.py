"""Scores sharpened or flattened by a temperature, and shifted towards the classes that come more often.

References: Guo et al. (2017), On Calibration of Modern Neural Networks, arXiv 1706.04599, section 4.2; the offsets are
the bias correction of Alexandari et al. (2020), arXiv 1901.06852, section 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from quorate.core.errors import ModelError
from quorate.core.types import CLASS_NAMES, Action, ActionArray, FloatArray

# A score below this counts as this: its logarithm must stay a number.
_LEAST_SCORE = 1e-9

# Beyond this the largest score is certain, whatever it is.
_SHARPEST = 50.0

# Keeps the fit finite where the rows could be told apart without error.
_RIDGE = 1e-6

_STEPS, _CLOSE = 100, 1e-12

# HOLD has no offset of its own: only differences count.
_SHIFTED = (Action.SELL, Action.BUY)


@dataclass(frozen=True, slots=True)
class Temperature:
    """Probability of class c proportional to exp(inverse x ln(score of c) + offset of c).

    Attributes:
        inverse: 1 / temperature: 1 leaves scores as they are, below 1 flattens them, 0 forgets them.
        offsets: SELL, HOLD, BUY.

    >>> Temperature(2.0)(np.array([[0.2, 0.2, 0.4]])).round(4).tolist()
    [[0.1667, 0.1667, 0.6667]]
    """

    kind: ClassVar[str] = "temperature"

    inverse: float
    offsets: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __call__(self, scores: FloatArray) -> FloatArray:
        """(n, 3) probabilities of (n, 3) scores; a row that is not finite stays so."""
        return tempered(scores, self.inverse, np.array(self.offsets))

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "inverse": self.inverse, "offsets": list(self.offsets)}

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> Self:
        """What `to_json` wrote.

        Raises:
            ValueError, KeyError, TypeError: numbers that are missing or none.
        """
        sell, hold, buy = map(float, tree["offsets"])
        made = cls(float(tree["inverse"]), (sell, hold, buy))
        if not (np.isfinite([made.inverse, *made.offsets]).all() and made.inverse >= 0):
            raise ValueError(f"a temperature of {tree}")
        return made


#: Scores as they are.
UNCHANGED = Temperature(1.0)


def tempered(scores: FloatArray, inverse: float | FloatArray, offsets: FloatArray) -> FloatArray:
    """The formula of `Temperature` for (n, 3) scores; `inverse` may be (n, 1) and `offsets` (n, 3), one map a row."""
    powers = inverse * np.log(np.maximum(scores, _LEAST_SCORE)) + offsets
    powers = np.exp(powers - np.maximum(np.maximum(powers[:, :1], powers[:, 1:2]), powers[:, 2:]))
    # Added in this order wherever there is one row or many, so that both give the same bits.
    return np.asarray(powers / (powers[:, :1] + powers[:, 1:2] + powers[:, 2:]))


def fit_temperature(scores: FloatArray, y: ActionArray, *, shifted: bool = False) -> Temperature:
    """The map of least log-loss, by Newton's method on a convex sum.

    Args:
        scores: (n, 3), finite.
        y: (n,) what happened.
        shifted: fit offsets too.

    Raises:
        ModelError: no rows, or no convergence.
    """
    if not len(y):
        raise ModelError("fit a temperature", found="no rows", expected="scores and what happened")
    logarithms = np.log(np.maximum(scores, _LEAST_SCORE))
    columns = [logarithms]
    if shifted:
        columns += [np.broadcast_to(np.eye(len(CLASS_NAMES))[action], logarithms.shape) for action in _SHIFTED]
    start = np.zeros(len(columns))
    start[0] = 1.0
    found = _newton(np.stack(columns, axis=-1), y, start)
    if found[0] < 0:
        # Scores that point the wrong way are forgotten, not turned round.
        shifts = _newton(np.stack(columns[1:], axis=-1), y, np.zeros(len(columns) - 1)) if shifted else found[1:]
        found = np.concatenate([[0.0], shifts])
    sell, buy = (float(found[1]), float(found[2])) if shifted else (0.0, 0.0)
    return Temperature(float(min(found[0], _SHARPEST)), (sell, 0.0, buy))


def _newton(features: FloatArray, y: ActionArray, start: FloatArray) -> FloatArray:
    """(k,) the weights of (n, 3, k) features whose softmax has the least log-loss."""
    n = len(y)
    chosen = features[np.arange(n), y].mean(axis=0)
    weights, loss = start, _loss(features, y, start)
    for _ in range(_STEPS):
        p = _softmax(features @ weights)
        mean = np.einsum("nc,nck->nk", p, features)
        gradient = mean.mean(axis=0) - chosen + _RIDGE * (weights - start)
        spread = np.einsum("nc,nck,ncl->kl", p, features, features) / n - mean.T @ mean / n
        step = np.linalg.solve(spread + _RIDGE * np.eye(len(start)), gradient)
        while (after := _loss(features, y, weights - step)) > loss and np.abs(step).max() > _CLOSE:
            step = step / 2
        if np.abs(step).max() <= _CLOSE or loss - after < 1e-15:
            return np.asarray(weights - step if after <= loss else weights)
        weights, loss = weights - step, after
    raise ModelError("fit a temperature", found=f"no convergence after {_STEPS} steps", expected="scores that vary")


def _loss(features: FloatArray, y: ActionArray, weights: FloatArray) -> float:
    powers = features @ weights
    top = powers.max(axis=1, keepdims=True)
    total = np.log(np.exp(powers - top).sum(axis=1)) + top[:, 0]
    return float((total - powers[np.arange(len(y)), y]).mean())


def _softmax(powers: FloatArray) -> FloatArray:
    raised = np.exp(powers - powers.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
