"""Array types by element, and read-only arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from quorate.core.errors import ArgumentError, DataError

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
ActionArray = npt.NDArray[np.int8]
BoolArray = npt.NDArray[np.bool_]
TextArray = npt.NDArray[np.str_]


def freeze(message: Any, names: tuple[str, ...], dtype: type[np.generic]) -> None:
    """Replace each named array by a contiguous read-only view of `dtype`.

    Raises:
        DataError: an array that is not one-dimensional, or has no numbers.
    """
    for name in names:
        given = getattr(message, name)
        try:
            array = np.ascontiguousarray(given, dtype=dtype)
        except (TypeError, ValueError, OverflowError, ArgumentError) as error:
            raise DataError(
                f"build {type(message).__name__}",
                found=f"`{name}` of type {type(given).__name__}: {error}",
                expected="an array (n,) of numbers",
            ) from error
        if array.ndim != 1:
            raise DataError(f"build {type(message).__name__}", found=f"{name} of shape {array.shape}", expected="(n,)")
        view = array.view()
        view.setflags(write=False)
        object.__setattr__(message, name, view)
