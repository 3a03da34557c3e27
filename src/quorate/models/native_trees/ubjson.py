"""Reading of UBJSON, the format of XGBoost's models, as numbers, texts, lists, arrays and mappings.

Source: Universal Binary JSON Specification, draft 12 (https://ubjson.org).
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

# Marker -> format of `struct` and of numpy, big-endian.
_NUMBERS = {"i": ">i1", "U": ">u1", "I": ">i2", "l": ">i4", "L": ">i8", "d": ">f4", "D": ">f8"}
_STRUCT = {"i": ">b", "U": ">B", "I": ">h", "l": ">i", "L": ">q", "d": ">f", "D": ">d"}
_CONSTANTS = {"Z": None, "T": True, "F": False}
_DEEPEST = 32


def parse_ubjson(content: bytes) -> Any:
    """The document; lists of numbers of one type are numpy arrays.

    Raises:
        ValueError: not a UBJSON document, or one that is deeper than 32 levels.
    """
    reader = _Reader(content)
    value = reader.value(reader.marker(), 0)
    if reader.place != len(content):
        raise ValueError(f"{len(content) - reader.place} bytes after the document")
    return value


class _Reader:
    def __init__(self, content: bytes) -> None:
        self.content = content
        self.place = 0

    def take(self, size: int) -> bytes:
        if not 0 <= size <= len(self.content) - self.place:
            raise ValueError("a document that ends too early")
        self.place += size
        return self.content[self.place - size : self.place]

    def marker(self) -> str:
        return chr(self.take(1)[0])

    def length(self) -> int:
        found = self.number(self.marker())
        if not isinstance(found, int) or found < 0:
            raise ValueError(f"the length {found}")
        return found

    def number(self, marker: str) -> int | float:
        if marker not in _STRUCT:
            raise ValueError(f"the marker {marker!a} instead of a number")
        form = _STRUCT[marker]
        value: int | float = struct.unpack(form, self.take(struct.calcsize(form)))[0]
        return value

    def text(self) -> str:
        return self.take(self.length()).decode()

    def value(self, marker: str, depth: int) -> Any:
        if depth > _DEEPEST:
            raise ValueError(f"more than {_DEEPEST} levels")
        if marker == "{":
            return self.mapping(depth)
        if marker == "[":
            return self.sequence(depth)
        if marker == "S":
            return self.text()
        if marker == "C":
            return self.marker()
        return _CONSTANTS[marker] if marker in _CONSTANTS else self.number(marker)

    def size(self) -> tuple[str | None, int | None]:
        """The type and the number of the elements of a container, where it begins with them."""
        kind = None
        if self.peek("$"):
            kind = self.marker()
        return kind, self.length() if self.peek("#") else None

    def peek(self, marker: str) -> bool:
        """Whether this marker comes next; it is read then."""
        found = self.content[self.place : self.place + 1] == marker.encode()
        self.place += found
        return found

    def sequence(self, depth: int) -> Any:
        kind, count = self.size()
        if kind is not None and count is not None and kind in _NUMBERS:
            dtype = np.dtype(_NUMBERS[kind])
            return np.frombuffer(self.take(count * dtype.itemsize), dtype).astype(dtype.newbyteorder("="))
        found: list[Any] = []
        while (len(found) < count) if count is not None else not self.peek("]"):
            found.append(self.value(kind or self.marker(), depth + 1))
        return found

    def mapping(self, depth: int) -> dict[str, Any]:
        kind, count = self.size()
        found: dict[str, Any] = {}
        while (len(found) < count) if count is not None else not self.peek("}"):
            key = self.text()
            found[key] = self.value(kind or self.marker(), depth + 1)
        return found
