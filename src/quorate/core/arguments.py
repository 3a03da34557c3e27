"""Types of arguments, checked where public functions begin."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from numbers import Integral, Real
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from quorate.core.errors import ArgumentError

T = TypeVar("T")


class Kind(NamedTuple):
    """A kind of arguments: the types that are accepted, and the words for them in an error."""

    types: tuple[Any, ...]
    expected: str

    @property
    def optional(self) -> Kind:
        """The kind, or None."""
        return Kind((*self.types, type(None)), f"{self.expected}, or None")

    def accepts(self, value: Any) -> bool:
        """Whether a value is of this kind. True and False are no numbers, though Python counts them as integers."""
        return isinstance(value, self.types) and (not isinstance(value, bool) or bool in self.types)


TEXT = Kind((str,), "a text")
FLAG = Kind((bool,), "True or False")
WHOLE = Kind((Integral,), "a whole number")
NUMBER = Kind((Real,), "a number")
FUNCTION = Kind((Callable,), "a function")
MAPPING = Kind((Mapping,), "a mapping")


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


def require_types(attempted: str, **given: tuple[Any, Kind]) -> None:
    """Refuse the first argument that is not of its kind.

    Args:
        attempted: for the error: what the function does.
        **given: argument -> its value and its kind.

    Raises:
        ArgumentError: it is of another type.
    """
    for name, (value, kind) in given.items():
        if not kind.accepts(value):
            raise ArgumentError(attempted, found=f"`{name}` of type {type(value).__name__}", expected=kind.expected)


def require_texts(attempted: str, name: str, texts: Any, expected: str) -> None:
    """Refuse what is not a sequence of texts. One text is a sequence of its letters, a frame one of its columns' names.

    Raises:
        ArgumentError: it is not.
    """
    if isinstance(texts, str | bytes) or hasattr(texts, "keys") or not isinstance(texts, Iterable):
        raise ArgumentError(attempted, found=f"`{name}` of type {type(texts).__name__}", expected=expected)
    for text in texts:
        if not isinstance(text, str):
            found = f"`{name}` with an entry of type {type(text).__name__}"
            raise ArgumentError(attempted, found=found, expected=expected)


def path_of(attempted: str, name: str, value: Any, expected: str = "a path") -> Path:
    """A path from text or a path.

    Raises:
        ArgumentError: neither.
    """
    if isinstance(value, str) or (isinstance(value, os.PathLike) and isinstance(os.fspath(value), str)):
        return Path(value)
    raise ArgumentError(attempted, found=f"`{name}` of type {type(value).__name__}", expected=expected)
