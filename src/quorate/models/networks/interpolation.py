"""Interpolation between evenly spaced knots, as a matrix: a network then interpolates by one product.

Challu and others, N-HiTS, 2022 (arXiv 2201.12886), section 3.3. The knots stand in the middle of equal parts of the
stretch, and values beyond the outer ones are held, as torch.nn.functional.interpolate has it with
`align_corners=False`; the authors' code interpolates by that function.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from quorate.core.errors import ModelError
from quorate.core.types import FloatArray

Interpolation = Literal["nearest", "linear", "cubic"]

# Keys' kernel, as torch's bicubic mode has it. Keys, Cubic convolution interpolation, 1981, leaves the figure free.
_CUBIC = -0.75


def interpolation_matrix(knots: int, length: int, kind: Interpolation) -> FloatArray:
    """What each knot gives to each place of a stretch.

    Args:
        knots: K, coefficients to interpolate between, 1 to `length`.
        length: L, places.
        kind: "nearest" repeats, "linear" connects by straight lines, "cubic" convolves with Keys' kernel.

    Returns:
        (K, L) float64; each column sums to 1. With as many knots as places it is the identity.

    Raises:
        ModelError: no knots, or more than places.

    >>> interpolation_matrix(2, 4, "linear")
    array([[1.  , 0.75, 0.25, 0.  ],
           [0.  , 0.25, 0.75, 1.  ]])
    """
    if not 1 <= knots <= length:
        raise ModelError("interpolate", found=f"{knots} knots for {length} places", expected=f"1 to {length} knots")
    place = np.arange(length)
    matrix = np.zeros((knots, length))
    if kind == "nearest":
        matrix[place * knots // length, place] = 1.0
        return matrix
    at = (place + 0.5) * knots / length - 0.5
    if kind == "linear":
        at = np.clip(at, 0, knots - 1)
    left = np.floor(at).astype(np.intp)
    reach = (0, 1) if kind == "linear" else (-1, 0, 1, 2)
    for step in reach:
        away = np.abs(at - (left + step))
        weight = 1 - away if kind == "linear" else _cubic(away)
        # Places share a held knot, so the weights add up.
        np.add.at(matrix, (np.clip(left + step, 0, knots - 1), place), weight)
    return matrix


def _cubic(away: FloatArray) -> FloatArray:
    """Keys' kernel at distances from 0 to 2, in knots."""
    a = _CUBIC
    near = ((a + 2) * away - (a + 3)) * away**2 + 1
    far = ((away - 5) * away + 8) * away * a - 4 * a
    return np.where(away <= 1, near, far)
