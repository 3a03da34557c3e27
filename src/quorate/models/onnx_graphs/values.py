"""Small values computed before a run: shapes, axes and bounds, as exporters derive them from the shape of the input."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quorate.models.onnx_graphs.parts import INT64, MOST_KEPT, Node, Value
from quorate.models.onnx_graphs.shapes import Inputs, Shape

Array = NDArray[Any]

_CASTS = {1: np.float32, 6: np.int32, 7: np.int64, 9: np.bool_, 11: np.float64}

_ELEMENTWISE: Mapping[str, Callable[..., Any]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Neg": np.negative,
    "Equal": np.equal,
    "Less": np.less,
    "Greater": np.greater,
    "And": np.logical_and,
    "Or": np.logical_or,
    "Not": np.logical_not,
    "Where": np.where,
    "Max": lambda *values: np.max(np.stack(np.broadcast_arrays(*values)), axis=0),
    "Min": lambda *values: np.min(np.stack(np.broadcast_arrays(*values)), axis=0),
    "Abs": np.abs,
    "Floor": np.floor,
    "Ceil": np.ceil,
}


def shape_data(node: Node, inputs: Inputs) -> Array | None:
    """Data of a Shape or Size node."""
    value = inputs[0] if inputs else None
    if value is None:
        return None
    if node.operator == "Size":
        return np.array(int(np.prod(value.shape, dtype=object)))
    start, end = node.integer("start"), None if node.attributes.get("end") is None else node.integer("end")
    return np.array(value.shape[start:end], np.int64)


def known(node: Node, inputs: Inputs, shapes: Sequence[Shape]) -> Array | None:
    """The first output of a node, where its inputs are known and it is small; None otherwise."""
    if node.domain not in ("", "ai.onnx") or not shapes or int(np.prod(shapes[0], dtype=object)) > MOST_KEPT:
        return None
    if node.operator in ("Shape", "Size"):
        return shape_data(node, inputs)
    if node.operator == "ConstantOfShape":
        fill = node.attributes.get("value")
        return np.full(shapes[0], 0.0 if not isinstance(fill, Value) else (fill.data if fill.data is not None else 0))
    data = [value.data for value in inputs if value is not None]
    if not data or any(one is None for one in data) or len(data) != len(inputs):
        return None
    try:
        with np.errstate(all="ignore"):
            found = _computed(node, data, shapes[0])
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    if found is None or found.shape != shapes[0] or found.dtype.kind not in "biuf":
        return None
    return found


def _computed(node: Node, data: Sequence[Any], shape: Shape) -> Array | None:
    name = node.operator
    if name in _ELEMENTWISE:
        return np.asarray(_ELEMENTWISE[name](*data))
    if name == "Mod":
        return np.asarray((np.fmod if node.integer("fmod") else np.mod)(*data))
    if name == "Div":
        whole = data[0].dtype.kind in "iu" and data[1].dtype.kind in "iu"
        # Towards zero, as in C.
        return np.asarray(np.fix(data[0] / data[1]).astype(np.int64) if whole else data[0] / data[1])
    if name == "Cast" and node.integer("to") in _CASTS:
        return np.asarray(data[0].astype(_CASTS[node.integer("to")]))
    if name in ("Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten"):
        return np.asarray(data[0].reshape(shape))
    if name == "Concat":
        return np.concatenate(data, axis=node.integer("axis"))
    if name == "Gather":
        return np.asarray(np.take(data[0], data[1].astype(np.int64), axis=node.integer("axis")))
    if name == "Transpose":
        return np.asarray(np.transpose(data[0], node.integers("perm")))
    if name == "Expand":
        return np.broadcast_to(data[0], shape)
    if name == "Tile":
        return np.tile(data[0], tuple(data[1]))
    if name == "Range":
        return np.asarray(np.arange(*(one.ravel()[0] for one in data)))
    if name == "ReduceProd" and len(data) == 1 and data[0].dtype.kind in "iu" and not node.integers("axes"):
        return None if node.integer("noop_with_empty_axes") else np.prod(data[0], dtype=np.int64).reshape(shape)
    if name == "Slice" and len(data) > 1:
        return _slice(data)
    return None


def _slice(data: Sequence[Any]) -> Array:
    starts, ends = data[1].ravel(), data[2].ravel()
    axes = data[3].ravel() if len(data) > 3 else range(len(starts))
    steps = data[4].ravel() if len(data) > 4 else [1] * len(starts)
    places: list[slice] = [slice(None)] * data[0].ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        length = data[0].shape[axis]
        places[axis] = slice(int(start), None if step < 0 and end < -length else int(end), int(step))
    return np.asarray(data[0][tuple(places)])


def kind_of(node: Node, inputs: Inputs) -> int:
    """Type of the elements of the first output; only that of products has to be right."""
    if node.operator in ("Shape", "Size", "ArgMax", "ArgMin"):
        return INT64
    if node.operator == "Cast":
        return node.integer("to")
    if node.operator == "ConstantOfShape":
        fill = node.attributes.get("value")
        return fill.kind if isinstance(fill, Value) else 1
    if node.operator == "OneHot":
        place = 2
    elif node.operator == "Where":
        place = 1
    elif node.operator in ("QuantizeLinear", "DynamicQuantizeLinear"):
        return 2
    elif node.operator in ("DequantizeLinear", "MatMulIntegerToFloat", "DynamicQuantizeMatMul") or (
        node.domain == "ai.onnx.ml" and node.operator != "ArrayFeatureExtractor"
    ):
        return 1
    else:
        place = 0
    value = inputs[place] if place < len(inputs) else None
    return 0 if value is None else value.kind
