"""Types of arguments, checked where public functions begin."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypeVar

from quorate.core.errors import ArgumentError

T = TypeVar("T")


def require_type(
    attempted: str, name: str, value: Any, kinds: type[T] | tuple[type[T], ...], expected: str, remedy: str = ""
) -> T:
    """The value, if it is of one of these types.

    Args:
        attempted: for the error: what the function does.
        name: of the argument.
        value: as given.
        kinds: accepted types.
        expected: for the error.
        remedy: for the error.

    Raises:
        ArgumentError: it is of another type.
    """
    if not isinstance(value, kinds):
        raise ArgumentError(
            attempted, found=f"`{name}` of type {type(value).__name__}", expected=expected, remedy=remedy
        )
    return value


def path_of(attempted: str, name: str, value: Any, expected: str = "a path") -> Path:
    """A path from text or a path.

    Raises:
        ArgumentError: neither.
    """
    if isinstance(value, str) or (isinstance(value, os.PathLike) and isinstance(os.fspath(value), str)):
        return Path(value)
    raise ArgumentError(attempted, found=f"`{name}` of type {type(value).__name__}", expected=expected)
