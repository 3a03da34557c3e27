"""Reading of JSON that others may have written or altered, within limits.

The standard reader accepts NaN, 1e999 (infinity), keys that occur twice and halves of surrogate pairs, and fails with
RecursionError on deep documents. All of them would fail later and elsewhere, or change a value. Here they are errors.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from quorate.core.regular_files import read_regular

#: Limit of the size of a document, in bytes.
MOST_BYTES = 64 << 20

#: Limit of the depth of a document: lists and objects inside each other.
MOST_DEPTH = 64

# Digits of a whole number: more do not fit in a float.
_MOST_DIGITS = 308

# A number that may exceed the range of a float, and an escape of half a surrogate pair.
_LARGE = re.compile(r"[0-9][eE]\+?0*[0-9]{3}|[0-9]{300}")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")

#: What reading values out of a foreign document of another shape can raise, `InvalidJSONError` included.
MISSHAPEN = (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError)


class InvalidJSONError(ValueError):
    """A document that is not JSON, or outside the limits. Readers state it in an error of their own.

    Attributes:
        line, column: of the error, from 1; 0 where it has no place.
    """

    def __init__(self, found: str, line: int = 0, column: int = 0) -> None:
        super().__init__(found)
        self.line, self.column = line, column


def parse_json(
    content: str | bytes, *, most_bytes: int = MOST_BYTES, most_depth: int = MOST_DEPTH, repeated_keys: bool = False
) -> Any:
    """Parse a JSON document in UTF-8, with or without a byte order mark.

    Args:
        content: the document.
        most_bytes: limit of its size; characters if it is a text.
        most_depth: limit of its depth.
        repeated_keys: allow a key to occur twice in an object, of which the last counts.

    Returns:
        The document; all numbers are finite and whole numbers fit in a float.

    Raises:
        InvalidJSONError: not UTF-8, not JSON, or outside the limits.

    >>> parse_json('{"a": [1, 2.5]}')
    {'a': [1, 2.5]}
    >>> parse_json("[1e999]")
    Traceback (most recent call last):
    quorate.core.untrusted_json.InvalidJSONError: the number 1e999, which is not finite
    """
    if len(content) > most_bytes:
        raise InvalidJSONError(f"{len(content)} bytes, more than {most_bytes}")
    text = _decoded(content)
    try:
        tree = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_int=_whole,
            parse_float=_finite if _LARGE.search(text) else None,
            object_pairs_hook=None if repeated_keys else _unique,
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise InvalidJSONError(f"{place}: {error.msg}", error.lineno, error.colno) from error
    except RecursionError as error:
        raise InvalidJSONError(f"more than {most_depth} lists and objects inside each other") from error
    _require_depth(tree, text, most_depth)
    if _SURROGATE.search(text):
        _require_characters(tree)
    return tree


def read_json(path: Path, *, most_bytes: int = MOST_BYTES, repeated_keys: bool = False) -> Any:
    """Read a JSON file with `parse_json`.

    Raises:
        OSError: not a regular file, one that cannot be read, or one of more than `most_bytes`.
        InvalidJSONError: as `parse_json`.
    """
    return parse_json(read_regular(path, most_bytes), most_bytes=most_bytes, repeated_keys=repeated_keys)


def _decoded(content: str | bytes) -> str:
    if isinstance(content, str):
        return content.removeprefix("\ufeff")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidJSONError(f"byte {error.start + 1} is not UTF-8 ({error.reason})") from error


def _refuse_constant(name: str) -> Any:
    raise InvalidJSONError(f"{name} in place of a number")


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise InvalidJSONError(f"a whole number of {len(digits)} digits ({digits[:12]}...)")
    return int(digits)


def _finite(text: str) -> float:
    number = float(text)
    if number - number != 0:
        raise InvalidJSONError(f"the number {text[:20]}, which is not finite")
    return number


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidJSONError(f"the key {twice[:60]!r} twice in one object")
    return table


def _require_depth(tree: Any, text: str, most: int) -> None:
    if text.count("[") + text.count("{") <= most:
        return
    level = [tree]
    for _ in range(most):
        level = [inner for outer in level for inner in _inner(outer)]
        if not level:
            return
    raise InvalidJSONError(f"more than {most} lists and objects inside each other")


def _inner(value: Any) -> list[Any]:
    """The lists and objects that are directly in a value."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [item for item in items if isinstance(item, list | dict)]


def _require_characters(tree: Any) -> None:
    waiting = [tree]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError as error:
                raise InvalidJSONError(f"half of a surrogate pair in the text {ascii(value)[:60]}") from error
