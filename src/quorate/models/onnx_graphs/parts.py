"""Nodes and constants of a serialised graph, as far as their shapes and costs depend on them."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quorate.models.onnx_graphs.wire import read_fields, read_message, read_text, read_varints

#: Elements of a value that is kept: shapes, axes and bounds have a few.
MOST_KEPT = 1_024

# Attributes of more bytes, as those of trees have, are only measured.
_LONGEST = 4_096

# Types of elements, from onnx.proto.
FLOAT, INT64, STRING, BOOL, DOUBLE = 1, 7, 8, 9, 11
_TYPES = {1: "f4", 2: "u1", 3: "i1", 4: "u2", 5: "i2", 6: "i4", 7: "i8", 9: "?", 10: "f2", 11: "f8", 12: "u4", 13: "u8"}
# Field of a tensor -> type of its elements, for those without raw data.
_FLOATS, _INT32S, _INT64S, _DOUBLES, _UINT64S, _RAW = 4, 5, 7, 10, 11, 9


@dataclass(frozen=True, slots=True)
class Value:
    """What is known of a value before a run.

    Attributes:
        shape: of the tensor.
        kind: type of its elements.
        data: the elements, if they are few and known.
        constant: does not depend on the input of the graph.
    """

    shape: tuple[int, ...]
    kind: int = FLOAT
    data: NDArray[Any] | None = None
    constant: bool = False

    @property
    def size(self) -> int:
        """Elements; an axis of none counts as one, because operators may loop over the others."""
        return math.prod(max(length, 1) for length in self.shape)


@dataclass(slots=True)
class Node:
    """A node, its attributes and the bytes that these have."""

    operator: str = ""
    domain: str = ""
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)  # texts of an attribute
    graphs: dict[str, memoryview] = field(default_factory=dict)
    serialised: dict[str, memoryview] = field(default_factory=dict)

    def integer(self, name: str, missing: int = 0) -> int:
        """An attribute that is a whole number.

        Raises:
            ValueError: it is something else.
        """
        value = self.attributes.get(name)
        if value is None:
            return missing
        if not isinstance(value, int):
            raise ValueError(f"an attribute {name} that is not a whole number")  # noqa: TRY004 - of the file
        return value

    def integers(self, name: str) -> list[int] | None:
        """An attribute that is a list of whole numbers; None if it is missing or empty.

        Raises:
            ValueError: it is something else.
        """
        value = self.attributes.get(name)
        if isinstance(value, int):
            return [value]
        if value is not None and not isinstance(value, list):
            raise ValueError(f"an attribute {name} that is not a list of whole numbers")
        return value


def read_node(message: memoryview) -> Node:
    """A node of a graph."""
    node = Node()
    for number, value in read_fields(message):
        if number == 1:
            node.inputs.append(read_text(value))
        elif number == 2:
            node.outputs.append(read_text(value))
        elif number == 4:
            node.operator = read_text(value)
        elif number == 7:
            node.domain = read_text(value)
        elif number == 5:
            _read_attribute(node, read_message(value))
    return node


def _read_attribute(node: Node, message: memoryview) -> None:
    name = ""
    found: Any = None
    many: list[int] = []
    graph, texts = None, 0
    long = len(message) > _LONGEST
    for number, value in read_fields(message, attribute=long):
        if number == 1:
            name = read_text(value)
        elif number == 3 and isinstance(value, int):
            found = _signed(value)
        elif number == 4:
            found = read_text(value)
        elif number == 5:
            found = read_tensor(read_message(value))[1]
        elif number == 6:
            graph = read_message(value)
        elif number == 9:
            texts += 1
        elif number == 8 and not long:
            many += [_signed(one) for one in ([value] if isinstance(value, int) else read_varints(value))]
    node.attributes[name] = many or found
    node.sizes[name] = len(message)
    node.serialised[name] = message
    if texts:
        node.counts[name] = texts
    if graph is not None:
        node.graphs[name] = graph


def read_tensor(message: memoryview) -> tuple[str, Value]:
    """Name and value of a constant."""
    name, kind = "", 0
    shape: list[int] = []
    parts: list[tuple[int, int | memoryview]] = []
    for number, value in read_fields(message):
        if number == 1:
            shape += [_signed(one) for one in ([value] if isinstance(value, int) else read_varints(value))]
        elif number == 2 and isinstance(value, int):
            kind = value
        elif number == 8:
            name = read_text(value)
        elif number in (_FLOATS, _INT32S, _INT64S, _DOUBLES, _UINT64S, _RAW) and len(parts) <= MOST_KEPT:
            parts.append((number, value))
    if any(length < 0 for length in shape):
        raise ValueError("a constant of a negative length")
    data = _elements(parts, kind, math.prod(shape))
    return name, Value(tuple(shape), kind, None if data is None else data.reshape(shape), True)


def _elements(parts: list[tuple[int, int | memoryview]], kind: int, size: int) -> NDArray[Any] | None:
    """The elements of a small constant; None if there are too many, or of a type without numbers."""
    if size > MOST_KEPT or kind not in _TYPES:
        return None
    found: list[float] = []
    for number, value in parts:
        if number == _RAW:
            if len(read_message(value)) != size * np.dtype(_TYPES[kind]).itemsize:
                return None
            return np.frombuffer(read_message(value), "<" + _TYPES[kind])
        if number in (_FLOATS, _DOUBLES):
            form = "f" if number == _FLOATS else "d"
            content = read_message(value)
            if len(content) % struct.calcsize(form):
                return None
            found += struct.unpack(f"<{len(content) // struct.calcsize(form)}{form}", content)
        else:
            found += [_signed(one) for one in ([value] if isinstance(value, int) else read_varints(value))]
    if len(found) != size or kind == 10:
        return None
    try:
        return np.array(found).astype(_TYPES[kind])
    except OverflowError:
        return None


def read_input(message: memoryview, rows: int) -> tuple[str, Value]:
    """Name and value of an input; an axis of no fixed length is the axis of rows if it is the first, else of one."""
    name, kind = "", FLOAT
    shape: list[int] = []
    for number, value in read_fields(message):
        if number == 1:
            name = read_text(value)
        elif number == 2:
            for tensor in _inside(read_message(value), 1):
                kind = next((one for key, one in read_fields(tensor) if key == 1 and isinstance(one, int)), kind)
                for dims in _inside(tensor, 2):
                    for dim in _inside(dims, 1):
                        length = next((n for key, n in read_fields(dim) if key == 1 and isinstance(n, int)), None)
                        unknown = 1 if shape else rows
                        shape.append(unknown if length is None else length)
    return name, Value(tuple(shape), kind)


def _inside(message: memoryview, wanted: int) -> Iterator[memoryview]:
    return (read_message(value) for number, value in read_fields(message) if number == wanted)


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value
