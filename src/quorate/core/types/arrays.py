"""Array types by element, and read-only arrays."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from quorate.core.errors import ArgumentError, DataError

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
ActionArray = npt.NDArray[np.int8]
BoolArray = npt.NDArray[np.bool_]
TextArray = npt.NDArray[np.str_]

_Number = TypeVar("_Number", np.float64, np.int64)


def finite_rows(table: npt.NDArray[np.floating]) -> BoolArray:
    """(n,) rows of (n, k) values that hold no NaN and no infinity; for few columns, since it goes by column.

    >>> finite_rows(np.array([[0.1, 0.9], [np.nan, 0.5]])).tolist()
    [True, False]
    """
    known = np.isfinite(table)
    found: BoolArray = known[:, 0].copy()
    for column in range(1, known.shape[1]):
        found &= known[:, column]
    return found


def of_class(table: npt.NDArray[_Number], classes: npt.NDArray[np.integer]) -> npt.NDArray[_Number]:
    """(n,) value of each row's class in an (n, 3) table, for (n,) classes 0 to 2.

    >>> of_class(np.array([[0.2, 0.3, 0.5], [0.1, 0.8, 0.1]]), np.array([2, 1])).tolist()
    [0.5, 0.8]
    """
    sell, hold, buy = table.T
    return np.asarray(np.where(classes == 0, sell, np.where(classes == 1, hold, buy)), table.dtype)


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
