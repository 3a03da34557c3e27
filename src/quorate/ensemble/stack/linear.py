"""Weights of the members in a stack: a linear combination without an intercept.

Members that say 0 make a stack that says 0: of returns, the mean is what is hardest to know. Penalties are given as
shares of the members' own strength, so that they mean the same whatever the scale of the predictions is.

Ridge: Hoerl and Kennard (1970). Lasso: Tibshirani (1996), by coordinate descent as in Friedman, Hastie and Tibshirani
(2010). Non-negative blending: Breiman, Stacked Regressions (1996).
"""

from __future__ import annotations

import numpy as np

from quorate.core.types import FloatArray

_SWEEPS = 10_000
_STILL = 1e-13  # of the largest weight: no coordinate moves by more than this any longer


def ridge(predicted: FloatArray, y: FloatArray, strength: float) -> FloatArray:
    """Least squares with squared weights held back.

    Args:
        predicted: (n, m) what each member said, fractions.
        y: (n,) what the return was.
        strength: penalty as a share of the members' mean sum of squares.

    Returns:
        (m,) weights.

    >>> ridge(np.array([[1.0], [2.0]]), np.array([1.0, 2.0]), 1.0)
    array([0.5])
    """
    moments = predicted.T @ predicted
    held = strength * np.trace(moments) / len(moments)
    # Least squares of the stacked system: two members that say the same leave the moments singular at strength 0.
    rows = np.vstack([predicted, np.sqrt(held) * np.eye(len(moments))])
    weights: FloatArray = np.linalg.lstsq(rows, np.concatenate([y, np.zeros(len(moments))]), rcond=None)[0]
    return weights


def lasso(predicted: FloatArray, y: FloatArray, strength: float) -> FloatArray:
    """Least squares with absolute weights held back, so that members without use get 0.

    Args:
        predicted: (n, m) what each member said, fractions.
        y: (n,) what the return was.
        strength: penalty as a share of the least at which every weight is 0.

    Returns:
        (m,) weights.
    """
    return _descend(predicted, y, strength * float(np.abs(predicted.T @ y).max()), least=-np.inf)


def blending(predicted: FloatArray, y: FloatArray) -> FloatArray:
    """Least squares with weights of at least 0: no member is turned on its head.

    Args:
        predicted: (n, m) what each member said, fractions.
        y: (n,) what the return was.

    Returns:
        (m,) weights.
    """
    return _descend(predicted, y, 0.0, least=0.0)


def voting(members: int) -> FloatArray:
    """(m,) weights of the plain mean."""
    return np.full(members, 1 / members)


def _descend(predicted: FloatArray, y: FloatArray, penalty: float, least: float) -> FloatArray:
    """Minimise half the squared error and the penalised absolute weights, one weight after the other."""
    moments, aims = predicted.T @ predicted, predicted.T @ y
    weights = np.zeros(len(aims))
    for _ in range(_SWEEPS):
        moved = 0.0
        for j in np.flatnonzero(np.diag(moments) > 0):
            own = moments[j, j]
            pull = aims[j] - moments[j] @ weights + own * weights[j]
            shrunk = np.sign(pull) * max(abs(pull) - penalty, 0.0) / own
            new = max(shrunk, least)
            moved, weights[j] = max(moved, abs(new - weights[j])), new
        if moved <= _STILL * np.abs(weights).max():
            break
    return weights
