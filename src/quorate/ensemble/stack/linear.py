"""Linear combiners of a stack: weights of the members, without an intercept.

There is no intercept because the mean return is hard to estimate: members that predict 0 give a stack that predicts 0.
Penalties are relative to the size of the members' predictions, so that they do not depend on its scale.

Ridge: Hoerl and Kennard (1970). Lasso: Tibshirani (1996), by coordinate descent as in Friedman, Hastie and Tibshirani
(2010). Non-negative blending: Breiman, Stacked Regressions (1996).
"""

from __future__ import annotations

import numpy as np

from quorate.core.types import FloatArray

_MAX_SWEEPS = 10_000
_TOLERANCE = 1e-13  # largest change of a weight at convergence, as a share of the largest weight


def ridge(predicted: FloatArray, y: FloatArray, strength: float) -> FloatArray:
    """Ridge regression: least squares with a penalty on squared weights.

    Args:
        predicted: (n, m) predictions of the members, fractions.
        y: (n,) actual returns.
        strength: penalty as a share of the members' mean sum of squares.

    Returns:
        (m,) weights.

    >>> ridge(np.array([[1.0], [2.0]]), np.array([1.0, 2.0]), 1.0)
    array([0.5])
    """
    moments = predicted.T @ predicted
    penalty = strength * np.trace(moments) / len(moments)
    # Least squares of the augmented system: with two equal members the moments are singular at strength 0.
    rows = np.vstack([predicted, np.sqrt(penalty) * np.eye(len(moments))])
    weights: FloatArray = np.linalg.lstsq(rows, np.concatenate([y, np.zeros(len(moments))]), rcond=None)[0]
    return weights


def lasso(predicted: FloatArray, y: FloatArray, strength: float) -> FloatArray:
    """Lasso: least squares with a penalty on absolute weights, so that members without value get 0.

    Args:
        predicted: (n, m) predictions of the members, fractions.
        y: (n,) actual returns.
        strength: penalty as a share of the least penalty at which all weights are 0.

    Returns:
        (m,) weights.
    """
    return _descend(predicted, y, strength * float(np.abs(predicted.T @ y).max()), least=-np.inf)


def blending(predicted: FloatArray, y: FloatArray) -> FloatArray:
    """Non-negative least squares: no member is inverted.

    Args:
        predicted: (n, m) predictions of the members, fractions.
        y: (n,) actual returns.

    Returns:
        (m,) weights.
    """
    return _descend(predicted, y, 0.0, least=0.0)


def equal_weights(members: int) -> FloatArray:
    """(m,) equal weights."""
    return np.full(members, 1 / members)


def _descend(predicted: FloatArray, y: FloatArray, penalty: float, least: float) -> FloatArray:
    """Minimise half the squared error plus the penalty on absolute weights, by coordinate descent."""
    moments, products = predicted.T @ predicted, predicted.T @ y
    weights = np.zeros(len(products))
    for _ in range(_MAX_SWEEPS):
        change = 0.0
        for j in np.flatnonzero(np.diag(moments) > 0):
            square = moments[j, j]
            residual = products[j] - moments[j] @ weights + square * weights[j]
            shrunk = np.sign(residual) * max(abs(residual) - penalty, 0.0) / square
            new = max(shrunk, least)
            change, weights[j] = max(change, abs(new - weights[j])), new
        if change <= _TOLERANCE * np.abs(weights).max():
            break
    return weights
