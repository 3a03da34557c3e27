"""Shapes of the outputs of operators, from those of their inputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from quorate.models.onnx_graphs.parts import Node, Value

Shape = tuple[int, ...]
Inputs = Sequence[Value | None]


#: A rule raises this for a shape that depends on the values of a run, or that its operator does not have.
class UnknownShape(Exception):  # noqa: N818 - handled by the caller, never an error of the program
    """The shape of an output cannot be known before a run."""


def require_made(node: Node, inputs: Inputs) -> None:
    """Require that every named input is known."""
    for name, value in zip(node.inputs, inputs, strict=True):
        if name and value is None:
            raise UnknownShape(f"an input {name[:40]!r} that no node before it makes")


def first(inputs: Inputs) -> Value:
    """The first input."""
    return at(inputs, 0)


def at(inputs: Inputs, place: int) -> Value:
    """An input that the operator has to have."""
    value = inputs[place] if place < len(inputs) else None
    if value is None:
        raise UnknownShape(f"no input {place}")
    return value


def integers(value: Value | None) -> list[int]:
    """Known whole numbers: a shape, axes, bounds."""
    if value is None or value.data is None:
        raise UnknownShape("a length that depends on the values of a run")
    return [int(one) for one in np.atleast_1d(value.data).ravel()]


def optional(inputs: Inputs, place: int) -> Value | None:
    return inputs[place] if place < len(inputs) else None


def setting(node: Node, name: str, inputs: Inputs, place: int, missing: Any = None) -> Any:
    """Whole numbers that newer operators read from an input, and older ones from an attribute."""
    found = node.integers(name)
    if found is not None:
        return found
    value = optional(inputs, place)
    return missing if value is None else integers(value)


def axis_of(node: Node, rank: int, missing: int = 0) -> int:
    """The attribute `axis`, counted from the front."""
    return require_axis(node.integer("axis", missing), rank)


def require_axis(axis: int, rank: int) -> int:
    if not -rank <= axis < rank:
        raise UnknownShape(f"axis {axis} of {rank}")
    return axis % rank


def broadcast(_node: Node, inputs: Inputs) -> list[Shape]:
    return [together([value.shape for value in inputs if value is not None])]


def together(shapes: Sequence[Shape]) -> Shape:
    """The shape to which all of them are broadcast."""
    rank = max((len(shape) for shape in shapes), default=0)
    found = []
    for lengths in zip(*((1,) * (rank - len(shape)) + shape for shape in shapes), strict=True):
        others = {length for length in lengths if length != 1}
        if len(others) > 1:
            raise UnknownShape(f"inputs of {', '.join(str(list(shape)[:8]) for shape in shapes[:3])}")
        found.append(others.pop() if others else 1)
    return tuple(found)


def same(node: Node, inputs: Inputs) -> list[Shape]:
    return [first(inputs).shape] * len(node.outputs)


def quantised(_node: Node, inputs: Inputs) -> list[Shape]:
    return [first(inputs).shape, (), ()]


def normalised(node: Node, inputs: Inputs) -> list[Shape]:
    """A normalisation: statistics, if asked for, are no larger than the input."""
    return [first(inputs).shape] * max(1, len(node.outputs))


def reduced(node: Node, inputs: Inputs) -> list[Shape]:
    shape = first(inputs).shape
    axes = setting(node, "axes", inputs, 1)
    if axes is None and node.integer("noop_with_empty_axes"):
        return [shape]
    return [_without(shape, axes or range(len(shape)), bool(node.integer("keepdims", 1)))]


def arg(node: Node, inputs: Inputs) -> list[Shape]:
    shape = first(inputs).shape
    return [_without(shape, [axis_of(node, len(shape))], bool(node.integer("keepdims", 1)))]


def _without(shape: Shape, axes: Sequence[int], keep: bool) -> Shape:
    dropped = {require_axis(axis, len(shape)) for axis in axes}
    return tuple(1 if n in dropped else length for n, length in enumerate(shape) if keep or n not in dropped)


def concatenated(node: Node, inputs: Inputs) -> list[Shape]:
    shapes = [value.shape for value in inputs if value is not None]
    axis = axis_of(node, len(first(inputs).shape))
    if any(len(shape) != len(shapes[0]) for shape in shapes):
        raise UnknownShape("inputs of several ranks")
    return [(*shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1 :])]


def split(node: Node, inputs: Inputs) -> list[Shape]:
    shape, count = first(inputs).shape, len(node.outputs)
    axis = axis_of(node, len(shape))
    lengths = setting(node, "split", inputs, 1)
    if lengths is None:
        part = -(-shape[axis] // count)
        lengths = [part] * (count - 1) + [shape[axis] - part * (count - 1)]
    if len(lengths) != count or min(lengths) < 0 or sum(lengths) != shape[axis]:
        raise UnknownShape(f"parts of {lengths[:8]}")
    return [(*shape[:axis], length, *shape[axis + 1 :]) for length in lengths]


def sliced(node: Node, inputs: Inputs) -> list[Shape]:
    shape = list(first(inputs).shape)
    starts, ends = setting(node, "starts", inputs, 1), setting(node, "ends", inputs, 2)
    if starts is None or ends is None or len(starts) != len(ends):
        raise UnknownShape("a slice without bounds")
    axes = setting(node, "axes", inputs, 3, list(range(len(starts))))
    steps = setting(node, "steps", inputs, 4, [1] * len(starts))
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=False):
        place = require_axis(axis, len(shape))
        if not step:
            raise UnknownShape("a step of 0")
        bounds = slice(start, None if step < 0 and end < -shape[place] else end, step)
        shape[place] = len(range(*bounds.indices(shape[place])))
    return [tuple(shape)]


def gathered(node: Node, inputs: Inputs) -> list[Shape]:
    shape, axis = first(inputs).shape, axis_of(node, len(first(inputs).shape))
    return [(*shape[:axis], *at(inputs, 1).shape, *shape[axis + 1 :])]


def indexed(_node: Node, inputs: Inputs) -> list[Shape]:
    return [at(inputs, 1).shape]


def transposed(node: Node, inputs: Inputs) -> list[Shape]:
    shape = first(inputs).shape
    order = node.integers("perm") or list(range(len(shape)))[::-1]
    if sorted(order) != list(range(len(shape))):
        raise UnknownShape(f"an order of {order[:8]}")
    return [tuple(shape[place] for place in order)]


def reshaped(node: Node, inputs: Inputs) -> list[Shape]:
    given, wanted = first(inputs).shape, setting(node, "shape", inputs, 1)
    if wanted is None:
        raise UnknownShape("no shape")
    zero = bool(node.integer("allowzero"))
    try:
        shape = [given[n] if length == 0 and not zero else length for n, length in enumerate(wanted)]
    except IndexError:
        raise UnknownShape(f"a shape of {wanted[:8]}") from None
    known, size = math.prod(length for length in shape if length != -1), math.prod(given)
    if shape.count(-1) == 1 and known and size % known == 0:
        shape[shape.index(-1)] = size // known
    if min(shape, default=0) < 0 or math.prod(shape) != size:
        raise UnknownShape(f"{list(given)[:8]} as {wanted[:8]}")
    return [tuple(shape)]


def flattened(node: Node, inputs: Inputs) -> list[Shape]:
    shape, axis = first(inputs).shape, node.integer("axis", 1)
    if not -len(shape) <= axis <= len(shape):
        raise UnknownShape(f"axis {axis}")
    axis = axis + len(shape) if axis < 0 else axis
    return [(math.prod(shape[:axis]), math.prod(shape[axis:]))]


def squeezed(node: Node, inputs: Inputs) -> list[Shape]:
    shape, axes = first(inputs).shape, setting(node, "axes", inputs, 1)
    if axes is None:
        return [tuple(length for length in shape if length != 1)]
    return [_without(shape, axes, False)]


def unsqueezed(node: Node, inputs: Inputs) -> list[Shape]:
    axes, shape = setting(node, "axes", inputs, 1), list(first(inputs).shape)
    if axes is None:
        raise UnknownShape("no axes")
    for axis in sorted(require_axis(one, len(shape) + len(axes)) for one in axes):
        shape.insert(axis, 1)
    return [tuple(shape)]


def expanded(_node: Node, inputs: Inputs) -> list[Shape]:
    wanted = integers(at(inputs, 1))
    return [together([first(inputs).shape, _lengths(wanted)])]


def tiled(_node: Node, inputs: Inputs) -> list[Shape]:
    shape, times = first(inputs).shape, _lengths(integers(at(inputs, 1)))
    if len(times) != len(shape):
        raise UnknownShape("repeats of another rank")
    return [tuple(length * count for length, count in zip(shape, times, strict=True))]


def padded(node: Node, inputs: Inputs) -> list[Shape]:
    shape, pads = list(first(inputs).shape), setting(node, "pads", inputs, 1)
    axes = integers(inputs[3]) if optional(inputs, 3) is not None else list(range(len(shape)))
    if pads is None or len(pads) != 2 * len(axes):
        raise UnknownShape("no pads")
    for n, axis in enumerate(axes):
        shape[require_axis(axis, len(shape))] += pads[n] + pads[n + len(axes)]
    return [_lengths(shape)]


def filled(_node: Node, inputs: Inputs) -> list[Shape]:
    return [_lengths(integers(first(inputs)))]


def ranged(_node: Node, inputs: Inputs) -> list[Shape]:
    bounds = [at(inputs, n).data for n in range(3)]
    if any(one is None or one.size != 1 for one in bounds):
        raise UnknownShape("a length that depends on the values of a run")
    start, end, step = (float(one.ravel()[0]) for one in bounds if one is not None)
    if not step or not math.isfinite(start + end + step):
        raise UnknownShape("a range without an end")
    return [(max(0, math.ceil(min((end - start) / step, 2.0**62))),)]


def scalar(_node: Node, _inputs: Inputs) -> list[Shape]:
    return [()]


def one_hot(node: Node, inputs: Inputs) -> list[Shape]:
    shape, (depth,) = list(first(inputs).shape), integers(at(inputs, 1))
    axis = require_axis(node.integer("axis", -1), len(shape) + 1)
    return [_lengths([*shape[:axis], depth, *shape[axis:]])]


def top(node: Node, inputs: Inputs) -> list[Shape]:
    shape = list(first(inputs).shape)
    count = setting(node, "k", inputs, 1)
    if not count:
        raise UnknownShape("no count")
    shape[axis_of(node, len(shape), -1)] = count[0]
    return [_lengths(shape)] * 2


def columns(_node: Node, inputs: Inputs) -> list[Shape]:
    """Some columns of rows."""
    shape = first(inputs).shape or (1,)
    return [(*(shape[:-1] or (1,)), at(inputs, 1).size)]


def joined(_node: Node, inputs: Inputs) -> list[Shape]:
    """The columns of all inputs."""
    rows = [value.shape for value in inputs if value is not None]
    if any(len(shape) != 2 for shape in rows):
        raise UnknownShape("inputs that are not tables")
    return [(rows[0][0], sum(shape[1] for shape in rows))]


def size_of(shape: Shape) -> int:
    """Elements, as `Value.size` counts them."""
    return Value(shape).size


def _lengths(shape: Sequence[int]) -> Shape:
    if any(length < 0 for length in shape):
        raise UnknownShape(f"a length of {min(shape)}")
    return tuple(shape)


Rule = Callable[[Node, Inputs], list[Shape]]
