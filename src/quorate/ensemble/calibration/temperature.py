"""Temperature scaling of scores, with optional class offsets.

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

# Scores are clipped to at least this, so that their logarithms are finite.
_LEAST_SCORE = 1e-9

# Above this the largest score always has a probability of about 1.
_MAX_INVERSE = 50.0

# Keeps the fit finite on rows that can be separated without error.
_RIDGE = 1e-6

_MAX_STEPS, _TOLERANCE = 100, 1e-12

# HOLD has no offset: only differences between offsets matter.
_SHIFTED = (Action.SELL, Action.BUY)


@dataclass(frozen=True, slots=True)
class Temperature:
    """Probability of class c proportional to exp(inverse x ln(score of c) + offset of c).

    Attributes:
        inverse: 1 / temperature: 1 leaves scores unchanged, below 1 flattens them, 0 ignores them.
        offsets: of SELL, HOLD, BUY.

    >>> Temperature(2.0)(np.array([[0.2, 0.2, 0.4]])).round(4).tolist()
    [[0.1667, 0.1667, 0.6667]]
    """

    kind: ClassVar[str] = "temperature"

    inverse: float
    offsets: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __call__(self, scores: FloatArray) -> FloatArray:
        """(n, 3) probabilities of (n, 3) scores; rows that are not finite stay so."""
        return scale_scores(scores, self.inverse, np.array(self.offsets))

    def shrunk(self, weight: float) -> Temperature:
        """The map between the unchanged scores (weight 0) and this one (weight 1), on the logarithms."""
        sell, hold, buy = (weight * offset for offset in self.offsets)
        return Temperature(1 + weight * (self.inverse - 1), (sell, hold, buy))

    def to_json(self) -> dict[str, Any]:
        """JSON object for calibration.json."""
        return {"kind": self.kind, "inverse": self.inverse, "offsets": list(self.offsets)}

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote.

        Raises:
            ValueError, KeyError, TypeError: values are missing or out of range.
        """
        sell, hold, buy = map(float, tree["offsets"])
        temperature = cls(float(tree["inverse"]), (sell, hold, buy))
        if not (np.isfinite([temperature.inverse, *temperature.offsets]).all() and temperature.inverse >= 0):
            raise ValueError(f"an invalid temperature {tree}")
        return temperature


#: The map that leaves scores unchanged.
UNCHANGED = Temperature(1.0)


def scale_scores(scores: FloatArray, inverse: float | FloatArray, offsets: FloatArray) -> FloatArray:
    """Temperature scaling of (n, 3) scores; `inverse` may be (n, 1) and `offsets` (n, 3), one map for each row."""
    logits = inverse * np.log(np.maximum(scores, _LEAST_SCORE)) + offsets
    logits = np.exp(logits - np.maximum(np.maximum(logits[:, :1], logits[:, 1:2]), logits[:, 2:]))
    # Always added in this order, so that one row and many give the same bits.
    return np.asarray(logits / (logits[:, :1] + logits[:, 1:2] + logits[:, 2:]))


def fit_temperature(scores: FloatArray, y: ActionArray, *, shifted: bool = False) -> Temperature:
    """Fit the map of least log-loss, a convex problem, by Newton's method.

    Args:
        scores: (n, 3), finite.
        y: (n,) true classes.
        shifted: fit class offsets as well.

    Raises:
        ModelError: no rows, or the fit does not converge.
    """
    if not len(y):
        raise ModelError("fit a temperature", found="no rows", expected="at least one row of scores and its class")
    logarithms = np.log(np.maximum(scores, _LEAST_SCORE))
    columns = [logarithms]
    if shifted:
        columns += [np.broadcast_to(np.eye(len(CLASS_NAMES))[action], logarithms.shape) for action in _SHIFTED]
    start = np.zeros(len(columns))
    start[0] = 1.0
    found = _newton(np.stack(columns, axis=-1), y, start)
    if found[0] < 0:
        # Scores that are negatively related to the classes are ignored, not inverted.
        offsets = _newton(np.stack(columns[1:], axis=-1), y, np.zeros(len(columns) - 1)) if shifted else found[1:]
        found = np.concatenate([[0.0], offsets])
    sell, buy = (float(found[1]), float(found[2])) if shifted else (0.0, 0.0)
    return Temperature(float(min(found[0], _MAX_INVERSE)), (sell, 0.0, buy))


def _newton(features: FloatArray, y: ActionArray, start: FloatArray) -> FloatArray:
    """(k,) weights of (n, 3, k) features that minimise the log-loss of the softmax."""
    n = len(y)
    true_mean = features[np.arange(n), y].mean(axis=0)
    weights, loss = start, _loss(features, y, start)
    for _ in range(_MAX_STEPS):
        p = _softmax(features @ weights)
        mean = np.einsum("nc,nck->nk", p, features)
        gradient = mean.mean(axis=0) - true_mean + _RIDGE * (weights - start)
        covariance = np.einsum("nc,nck,ncl->kl", p, features, features) / n - mean.T @ mean / n
        step = np.linalg.solve(covariance + _RIDGE * np.eye(len(start)), gradient)
        while (after := _loss(features, y, weights - step)) > loss and np.abs(step).max() > _TOLERANCE:
            step = step / 2
        if np.abs(step).max() <= _TOLERANCE or loss - after < 1e-15:
            return np.asarray(weights - step if after <= loss else weights)
        weights, loss = weights - step, after
    raise ModelError("fit a temperature", found=f"no convergence after {_MAX_STEPS} steps", expected="scores that vary")


def _loss(features: FloatArray, y: ActionArray, weights: FloatArray) -> float:
    logits = features @ weights
    top = logits.max(axis=1, keepdims=True)
    total = np.log(np.exp(logits - top).sum(axis=1)) + top[:, 0]
    return float((total - logits[np.arange(len(y)), y]).mean())


def _softmax(logits: FloatArray) -> FloatArray:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))
