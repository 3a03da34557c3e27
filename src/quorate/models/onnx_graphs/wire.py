"""Reading of serialised protocol buffers field by field.

Source: Protocol Buffers Documentation, Encoding (https://protobuf.dev/programming-guides/encoding/).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# Wire types.
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

# Elements of the repeated fields `floats` (7), `ints` (8) and `strings` (9, of up to 16 bytes) of an attribute: an
# ensemble of trees has millions of them.
_ELEMENTS = re.compile(
    rb"(?:\x3d.{4}|\x40[\x80-\xff]{0,9}+[\x00-\x7f]|\x4a(?:"
    + b"|".join(re.escape(bytes([length])) + b".{%d}" % length for length in range(17))
    + rb"))++",
    re.DOTALL,
)


def read_fields(message: memoryview, *, attribute: bool = False) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of every field of a message, in the order of the file.

    Args:
        message: the serialised message.
        attribute: skip elements of repeated numbers and of repeated short texts, as an attribute of a node has them.

    Yields:
        An integer for a field of the wire type varint, else the bytes of the value.

    Raises:
        ValueError: not a serialised message.
    """
    place, end = 0, len(message)
    while place < end:
        if attribute and (run := _ELEMENTS.match(message, place)):
            place = run.end()
            continue
        tag, place = _varint(message, place)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            value, place = _varint(message, place)
            yield number, value
            continue
        if kind == BYTES:
            size, place = _varint(message, place)
        elif kind in (FIXED32, FIXED64):
            size = 4 if kind == FIXED32 else 8
        else:
            raise ValueError(f"a field of the wire type {kind}")
        if size > end - place:
            raise ValueError("a field that ends after its message")
        yield number, message[place : place + size]
        place += size


def read_text(value: int | memoryview) -> str:
    """A text field; bytes that are not UTF-8 are replaced.

    Raises:
        ValueError: the field is a number.
    """
    return str(read_message(value), "utf-8", "replace")


def read_message(value: int | memoryview) -> memoryview:
    """A field that holds a message.

    Raises:
        ValueError: the field is a number.
    """
    if isinstance(value, int):
        raise ValueError("a number instead of a message")  # noqa: TRY004 - of the file, not of an argument
    return value


def read_varints(message: memoryview) -> list[int]:
    """A packed list of integers.

    Raises:
        ValueError: an integer without an end.
    """
    found, place = [], 0
    while place < len(message):
        value, place = _varint(message, place)
        found.append(value)
    return found


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    """The integer at a place, and the place after it."""
    value = shift = 0
    while place < len(message) and shift < 70:
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
    raise ValueError("an integer without an end")
