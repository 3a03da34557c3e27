"""Rounding of weights that minimises the error of their products with given inputs.

Rounding to the nearest step ignores that inputs are correlated. Here the rounding error of one row of weights is
compensated by the rows that are rounded after it, as far as their inputs are correlated; on the states of an LSTM that
halves the error.

Source: Frantar and others, GPTQ, 2023 (arXiv 2210.17323).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quorate.core.types import Float32Array

# Share of the mean square of the inputs added to the diagonal, so that the matrix of equal inputs is invertible.
_DAMPING = 1e-4


class Rounded(NamedTuple):
    """Rounded weights, in steps.

    Attributes:
        integers: (n, u) whole numbers.
        bias: (u,) float32 to add to the products: the mean error of the rounding.
    """

    integers: npt.NDArray[np.float64]
    bias: Float32Array


def rounded(weights: Float32Array, step: Float32Array, inputs: Float32Array, largest: float) -> Rounded:
    """Round weights so that their products with the inputs are close to the exact ones.

    Args:
        weights: (n, u).
        step: (u,) of each column, above 0.
        inputs: (t, n) examples of the inputs; t > 0.
        largest: absolute value of an integer.

    Two weights of 0.2 with steps of 0.5 and equal inputs: the second compensates the error of the first.

    >>> weights = np.array([[0.2], [0.2]], np.float32)
    >>> inputs = np.array([[1, 1], [-1, -1]], np.float32)
    >>> rounded(weights, np.array([0.5], np.float32), inputs, 127).integers.tolist()
    [[0.0], [1.0]]
    """
    rows, columns = weights.shape
    # The bias is the weight of a constant input of 1. It is last and not rounded, so the mean error is 0.
    extended = np.column_stack([inputs, np.ones(len(inputs))]).astype(np.float64)
    hessian = extended.T @ extended / len(extended)
    hessian += _DAMPING * np.mean(np.diag(hessian)) * np.eye(rows + 1)
    # Rows with the largest inputs first, while most other rows are left to compensate their errors.
    order = np.append(np.argsort(-np.diag(hessian)[:rows], kind="stable"), rows)
    factor = np.linalg.cholesky(np.linalg.inv(hessian[np.ix_(order, order)])).T
    remaining = np.vstack([weights, np.zeros(columns)])[order]
    integers = np.empty((rows, columns))
    for row, index in enumerate(order[:rows]):
        integers[index] = np.clip(np.round(remaining[row] / step), -largest, largest)
        error = (remaining[row] - integers[index] * step) / factor[row, row]
        remaining[row + 1 :] -= np.outer(factor[row, row + 1 :], error)
    return Rounded(integers, remaining[rows].astype(np.float32))
