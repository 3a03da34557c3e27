"""Interpolation between evenly spaced knots as a matrix, so that a network interpolates by one product.

Challu and others, N-HiTS, 2022 (arXiv 2201.12886), section 3.3. The knots are at the centres of equal parts of the
range, and values beyond the outer knots are constant, as in torch.nn.functional.interpolate with
`align_corners=False`, which the authors' code uses.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from quorate.core.errors import ModelError
from quorate.core.types import FloatArray

Interpolation = Literal["nearest", "linear", "cubic"]

# Parameter a of Keys' kernel, as in torch's bicubic mode. Keys, Cubic convolution interpolation, 1981.
_CUBIC = -0.75


def interpolation_matrix(knots: int, length: int, kind: Interpolation) -> FloatArray:
    """Weights of the knots at each position.

    Args:
        knots: K, coefficients to interpolate between, 1 to `length`.
        length: L, positions.
        kind: "nearest" repeats, "linear" connects by straight lines, "cubic" convolves with Keys' kernel.

    Returns:
        (K, L) float64; each column sums to 1. With as many knots as positions it is the identity.

    Raises:
        ModelError: no knots, or more knots than positions.

    >>> interpolation_matrix(2, 4, "linear")
    array([[1.  , 0.75, 0.25, 0.  ],
           [0.  , 0.25, 0.75, 1.  ]])
    """
    if not 1 <= knots <= length:
        raise ModelError("interpolate", found=f"{knots} knots for {length} positions", expected=f"1 to {length} knots")
    position = np.arange(length)
    matrix = np.zeros((knots, length))
    if kind == "nearest":
        matrix[position * knots // length, position] = 1.0
        return matrix
    coordinate = (position + 0.5) * knots / length - 0.5  # in knots
    if kind == "linear":
        coordinate = np.clip(coordinate, 0, knots - 1)
    left = np.floor(coordinate).astype(np.intp)
    offsets = (0, 1) if kind == "linear" else (-1, 0, 1, 2)
    for offset in offsets:
        distance = np.abs(coordinate - (left + offset))
        weight = 1 - distance if kind == "linear" else _cubic(distance)
        # Offsets beyond an end are clipped to the same knot, so the weights add up.
        np.add.at(matrix, (np.clip(left + offset, 0, knots - 1), position), weight)
    return matrix


def _cubic(distance: FloatArray) -> FloatArray:
    """Keys' kernel at distances from 0 to 2, in knots."""
    a = _CUBIC
    near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
    far = ((distance - 5) * distance + 8) * distance * a - 4 * a
    return np.where(distance <= 1, near, far)
