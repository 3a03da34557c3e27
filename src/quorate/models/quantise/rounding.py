"""Weights rounded for what they are multiplied by.

To round each to the nearest step treats all inputs alike. Inputs move together, though: what one row of weights loses,
rows that are still to be rounded can make up, as far as their inputs say the same. On an LSTM's states that errs half
as much.

Source: Frantar and others, GPTQ, 2023 (arXiv 2210.17323).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quorate.core.types import Float32Array

# Share of the inputs' mean square that is added to each, so that two inputs that are always the same can be told apart.
_DAMPING = 1e-4


class Rounded(NamedTuple):
    """Weights in steps.

    Attributes:
        wholes: (n, u) integers.
        bias: (u,) float32 to be added to the products: what the wholes lose of their mean.
    """

    wholes: npt.NDArray[np.float64]
    bias: Float32Array


def rounded(weights: Float32Array, step: Float32Array, inputs: Float32Array, largest: float) -> Rounded:
    """Choose the wholes whose products with the inputs are nearest to what the weights' are.

    Args:
        weights: (n, u).
        step: (u,) of a column, above 0.
        inputs: (t, n) examples of what is multiplied; t > 0.
        largest: whole, either side of 0.

    Two weights of 0.2 in steps of 0.5 whose inputs are always the same: the second makes up for the first.

    >>> twice = np.array([[0.2], [0.2]], np.float32)
    >>> inputs = np.array([[1, 1], [-1, -1]], np.float32)
    >>> rounded(twice, np.array([0.5], np.float32), inputs, 127).wholes.tolist()
    [[0.0], [1.0]]
    """
    rows, columns = weights.shape
    # The bias is the weight of an input that is always 1. It comes last and is never rounded, so no error has a mean.
    seen = np.column_stack([inputs, np.ones(len(inputs))]).astype(np.float64)
    together = seen.T @ seen / len(seen)
    together += _DAMPING * np.mean(np.diag(together)) * np.eye(rows + 1)
    # The largest inputs first: most others are left then to make up for them.
    order = np.append(np.argsort(-np.diag(together)[:rows], kind="stable"), rows)
    makes_up = np.linalg.cholesky(np.linalg.inv(together[np.ix_(order, order)])).T
    left = np.vstack([weights, np.zeros(columns)])[order]
    wholes = np.empty((rows, columns))
    for row, place in enumerate(order[:rows]):
        wholes[place] = np.clip(np.round(left[row] / step), -largest, largest)
        lost = (left[row] - wholes[place] * step) / makes_up[row, row]
        left[row + 1 :] -= np.outer(makes_up[row, row + 1 :], lost)
    return Rounded(wholes, left[rows].astype(np.float32))
