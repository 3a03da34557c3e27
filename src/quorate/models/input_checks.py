"""Checks of an input matrix, the same for training, inference in the training library and serving."""

from __future__ import annotations

import math

import numpy as np

from quorate.core.errors import ModelError
from quorate.core.types import Float32Array
from quorate.features.windows import Sequences

_PIECE = 16_384  # rows
_FEW = 8_192  # values; BLAS may use several threads for more

# Input of a member: (B, F) rows or (B, L, F) windows, the latter possibly as lazy views of the bars they share.
Matrix = Float32Array | Sequences


def require_matrix(X: Matrix, columns: int | None, attempted: str, axes: str = "BF") -> None:
    """Raise for a matrix that is not valid input of a member.

    Args:
        X: the rows; features along the last axis.
        columns: the required F; None for any.
        attempted: for error messages.
        axes: names of the axes X must have.

    Raises:
        ModelError: another number of axes or columns, another dtype than float32, NaN or infinity.

    >>> require_matrix(np.zeros((2, 5), np.float32), 14, "predict with xgboost")
    Traceback (most recent call last):
    quorate.core.errors.ModelError: could not predict with xgboost: found 5 columns; expected 14, as it was fitted on.
    """
    if not isinstance(X, (np.ndarray, Sequences)):
        raise ModelError(attempted, found=f"`X` of type {type(X).__name__}", expected=f"an array ({', '.join(axes)})")
    if X.ndim != len(axes):
        raise ModelError(attempted, found=f"X of shape {X.shape}", expected=f"X ({', '.join(axes)})")
    if columns is not None and X.shape[-1] != columns:
        raise ModelError(attempted, found=f"{X.shape[-1]} columns", expected=f"{columns}, as it was fitted on")
    if X.dtype != np.float32:
        # A tree model compares in double and its graph in single precision: float64 input could differ between them.
        raise ModelError(attempted, found=f"X of {X.dtype}", expected="float32")
    if isinstance(X, Sequences):
        return  # checked when they were made
    # Fast path for a live bar: one call instead of three. The product may overflow for finite X; each value is then
    # checked below.
    if X.size <= _FEW and math.isfinite(np.vdot(X, X)):
        return
    # In pieces, to limit the memory of the mask.
    for first in range(0, len(X), _PIECE):
        finite = np.isfinite(X[first : first + _PIECE])
        if not finite.all():
            row = first + int(np.argmin(finite.reshape(len(finite), -1).all(axis=1)))
            raise ModelError(attempted, found=f"NaN or infinity in row {row}", expected="finite values")
