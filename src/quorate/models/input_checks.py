"""What a matrix must be before a member reads it. One rule for training, the library's own inference and serving."""

from __future__ import annotations

import math

import numpy as np

from quorate.core.errors import ModelError
from quorate.core.types import Float32Array
from quorate.features.windows import Sequences

_PIECE = 16_384  # rows
_FEW = 8_192  # values; the products of more may go to several threads

# What a member reads: (B, F) rows or (B, L, F) windows, the latter perhaps not yet copied out of the bars they share.
Matrix = Float32Array | Sequences


def require_matrix(X: Matrix, columns: int | None, attempted: str, axes: str = "BF") -> None:
    """Refuse a matrix that a member may not read.

    Args:
        X: the rows; the last axis is that of the features.
        columns: F as it must be; None where any will do.
        attempted: for the message.
        axes: names of the axes X must have.

    Raises:
        ModelError: another number of axes or columns, another dtype than float32, NaN or infinity.

    >>> require_matrix(np.zeros((2, 5), np.float32), 14, "predict with xgboost")
    Traceback (most recent call last):
    quorate.core.errors.ModelError: could not predict with xgboost: found 5 columns; expected 14, as it was fitted on.
    """
    if X.ndim != len(axes):
        raise ModelError(attempted, found=f"X of shape {X.shape}", expected=f"X ({', '.join(axes)})")
    if columns is not None and X.shape[-1] != columns:
        raise ModelError(attempted, found=f"{X.shape[-1]} columns", expected=f"{columns}, as it was fitted on")
    if X.dtype != np.float32:
        # A model that compares in double and its graph, which compares in single, would part ways here.
        raise ModelError(attempted, found=f"X of {X.dtype}", expected="float32")
    if isinstance(X, Sequences):
        return  # finite by their making
    # A live bar's windows: one call instead of three, after a network's weights have driven all code out of the caches.
    # The product overflows long before X does; then each value is looked at.
    if X.size <= _FEW and math.isfinite(np.vdot(X, X)):
        return
    # Piece by piece: windows share their bars, and a mask of all of them would be larger than the bars by far.
    for first in range(0, len(X), _PIECE):
        finite = np.isfinite(X[first : first + _PIECE])
        if not finite.all():
            row = first + int(np.argmin(finite.reshape(len(finite), -1).all(axis=1)))
            raise ModelError(attempted, found=f"NaN or infinity in row {row}", expected="finite values")
