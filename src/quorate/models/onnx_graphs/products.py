"""Shapes and multiplications of the operators whose time is not in proportion to their tensors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from quorate.models.onnx_graphs.parts import Node
from quorate.models.onnx_graphs.shapes import Inputs, Shape, UnknownShape, at, first, together

#: Shapes of the outputs, and multiplications or steps of the same order.
Product = tuple[list[Shape], int]


def matrices(a: int, b: int, node: Node, inputs: Inputs) -> Product:
    """A product of the inputs at two places, as of MatMul."""
    left, right = at(inputs, a).shape, at(inputs, b).shape
    if node.domain == "com.microsoft":
        if node.integer("transBatchA") or node.integer("transBatchB"):
            raise UnknownShape("transposed batches")
        left, right = _turned(left, node, "transA"), _turned(right, node, "transB")
    if not left or not right:
        raise UnknownShape("a product of a number")
    rows = left if len(left) > 1 else (1, *left)
    columns = right if len(right) > 1 else (*right, 1)
    batch = together([rows[:-2], columns[:-2]])
    if rows[-1] != columns[-2]:
        raise UnknownShape(f"a product of {list(left)[:8]} and {list(right)[:8]}")
    shape = (*batch, *rows[-2:-1][: len(left) - 1], *columns[-1:][: len(right) - 1])
    return [shape], _volume((*batch, rows[-2], rows[-1], columns[-1]))


def _turned(shape: Shape, node: Node, name: str) -> Shape:
    return (*shape[:-2], shape[-1], shape[-2]) if node.integer(name) and len(shape) > 1 else shape


def gemm(a: int, b: int, node: Node, inputs: Inputs) -> Product:
    left, right = _turned(at(inputs, a).shape, node, "transA"), _turned(at(inputs, b).shape, node, "transB")
    if len(left) != 2 or len(right) != 2 or left[1] != right[0]:
        raise UnknownShape(f"a product of {list(left)[:8]} and {list(right)[:8]}")
    return [(left[0], right[1])], _volume((*left, right[1]))


def einsum(_a: int, _b: int, node: Node, inputs: Inputs) -> Product:
    equation = str(node.attributes.get("equation")).replace(" ", "")
    terms, arrow, result = equation.partition("->")
    lengths: dict[str, int] = {}
    for letters, value in zip(terms.split(","), inputs, strict=False):
        if value is None or not letters.isalpha() or len(letters) != len(value.shape):
            raise UnknownShape(f"the equation {equation[:40]}")
        for letter, length in zip(letters, value.shape, strict=True):
            lengths[letter] = max(length, lengths.get(letter, 1))
    if not arrow or not set(result) <= set(lengths):
        raise UnknownShape(f"the equation {equation[:40]}")
    return [tuple(lengths[letter] for letter in result)], _volume(lengths.values())


def convolution(a: int, b: int, node: Node, inputs: Inputs) -> Product:
    given, weights = at(inputs, a).shape, at(inputs, b).shape
    if len(given) != len(weights) or len(given) < 3:
        raise UnknownShape(f"a convolution of {list(given)[:8]} by {list(weights)[:8]}")
    shape = (given[0], weights[0], *_places(node, given[2:], weights[2:]))
    return [shape], _volume((*shape, *weights[1:]))


def pooling(_a: int, _b: int, node: Node, inputs: Inputs) -> Product:
    given, kernel = first(inputs).shape, node.integers("kernel_shape")
    if kernel is None or len(kernel) != len(given) - 2:
        raise UnknownShape("a kernel of another rank")
    shape = (*given[:2], *_places(node, given[2:], kernel))
    return [shape] * max(1, len(node.outputs)), _volume((*shape, *kernel))


def pooling_all(_a: int, _b: int, _node: Node, inputs: Inputs) -> Product:
    given = first(inputs).shape
    return [(*given[:2], *(1 for _ in given[2:]))], _volume(given)


def _places(node: Node, lengths: Sequence[int], kernel: Sequence[int]) -> Shape:
    """Places of a kernel along each axis."""
    count = len(lengths)
    strides = node.integers("strides") or [1] * count
    dilations = node.integers("dilations") or [1] * count
    pads = node.integers("pads") or [0] * (2 * count)
    padding = str(node.attributes.get("auto_pad") or "NOTSET")
    if min(len(strides), len(dilations), len(pads) // 2) < count or min(*strides, *dilations, *kernel) < 1:
        raise UnknownShape("strides, dilations or pads of another rank")
    found = []
    for n, length in enumerate(lengths):
        if padding.startswith("SAME"):
            found.append(-(-length // strides[n]))
            continue
        before_after = 0 if padding == "VALID" else pads[n] + pads[n + count]
        spare = length + before_after - dilations[n] * (kernel[n] - 1) - 1
        if spare < 0:
            raise UnknownShape("a kernel longer than its input")
        whole = spare // strides[n] + 1
        if node.integer("ceil_mode"):
            rounded = -(-spare // strides[n]) + 1
            # The last place starts within the input or the padding before it.
            whole = rounded if (rounded - 1) * strides[n] < length + pads[n] else whole
        found.append(whole)
    return tuple(found)


def recurrent(gates: int, _b: int, node: Node, inputs: Inputs) -> Product:
    """LSTM, GRU and RNN: all states, the newest, and those of the cells."""
    if node.integer("layout"):
        raise UnknownShape("the batch as first axis")
    rows, own = first(inputs).shape, at(inputs, 2).shape
    if len(rows) != 3 or len(own) != 3:
        raise UnknownShape("a recurrence of another rank")
    bars, batch, features = rows
    directions, width = own[0], node.integer("hidden_size") or own[-1]
    newest = (directions, batch, width)
    times = _volume((bars, batch, directions, gates, width, features + width + 32)) + 2_000 * bars
    return [(bars, directions, batch, width), newest, newest], times


def quantised_recurrent(gates: int, _b: int, node: Node, inputs: Inputs) -> Product:
    """The 8-bit LSTM of ONNX Runtime; its recurrent weights are (directions, width, 4 * width)."""
    own = at(inputs, 2)
    if len(own.shape) != 3:
        raise UnknownShape("a recurrence of another rank")
    turned = replace(own, shape=(own.shape[0], own.shape[2], own.shape[1]))
    return recurrent(gates, _b, node, [*inputs[:2], turned])


def forest(_a: int, _b: int, node: Node, inputs: Inputs) -> Product:
    """Trees, support vectors and linear models of each row: a row visits at most all numbers of the attributes."""
    rows = first(inputs).shape
    if len(rows) > 2:
        raise UnknownShape(f"rows of {len(rows)} axes")
    count = rows[0] if len(rows) == 2 else 1
    targets = node.integer("n_targets") or node.integer("targets") or 1
    if not node.operator.endswith("Classifier"):
        return [(count, targets)], _volume((count, _length(node) + targets))
    classes = class_count(node)
    return [(count,), (count, classes)], _volume((count, _length(node) + classes))


def class_count(node: Node) -> int:
    """Labels of a classifier."""
    for name in ("classlabels_int64s", "classlabels_ints"):
        found = node.integers(name)
        if found:
            return len(found)
    if node.counts.get("classlabels_strings"):
        return node.counts["classlabels_strings"]
    raise UnknownShape("a classifier without labels")


def _length(node: Node) -> int:
    """Largest number of visits for a row: an element of an attribute has at least a byte."""
    if node.operator.startswith("TreeEnsemble"):
        names = [name for name in node.sizes if name.endswith(("truenodeids", "trueleafs", "nodes_splits", "treeids"))]
        return max((node.sizes[name] for name in names), default=0) + 100
    return sum(node.sizes.values())


def _volume(lengths: Iterable[int]) -> int:
    return math.prod(max(length, 1) for length in lengths)
