"""A network's graph with its weights in 8 bits: smaller, and faster where the processor multiplies bytes."""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from quorate.core.errors import MissingExtraError, ModelError
from quorate.models.export import content

# What holds nearly all of a network's weights.
_OPERATORS = ["MatMul", "Gemm", "LSTM"]

# A product of fewer inputs or outputs would be no faster in 8 bits.
_LEAST = 16


def quantise(graph: bytes, name: str) -> bytes:
    """The graph with the weights of its matrix products as 8-bit integers, one scale a column; activations are
    quantised as they come (dynamic quantisation). Its input and output are unchanged.

    What reads the window itself reads it in two parts, each of 8 bits: features have long tails, and a step of a 255th
    of their whole range is what would change most decisions.

    Source: Jacob et al. (2018), Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
    Inference; the runtime's own tool.

    Args:
        graph: a serialised ONNX graph in single precision.
        name: for messages.

    Raises:
        ModelError: it has no weights of that kind, or is no graph.
        MissingExtraError: onnx is not installed.
    """
    try:
        import onnx
        from google.protobuf.message import DecodeError
        from onnxruntime.quantization import QuantType, quantize_dynamic
    except ImportError as error:
        raise MissingExtraError(
            f"quantise {name}", found=str(error), remedy="Run: pip install 'quorate[train]'"
        ) from error

    try:
        model = onnx.load_from_string(graph)
    except DecodeError as error:
        raise ModelError(f"quantise {name}", found=str(error), expected="an ONNX graph") from error
    kept = _small(model.graph)
    _read_in_two_parts(model.graph, kept)
    with tempfile.TemporaryDirectory() as folder, _quiet():
        path = Path(folder) / "int8.onnx"
        quantize_dynamic(
            model,
            path,
            op_types_to_quantize=_OPERATORS,
            per_channel=True,
            weight_type=QuantType.QInt8,
            # The tool makes a MatMul and an Add of each Gemm before it looks at this list.
            nodes_to_exclude=[node + suffix for node in kept for suffix in ("", "_MatMul")],
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )
        made = onnx.load(str(path))
    # The shapes that the tool noted: with them the runtime places its arrays so that a softmax takes twice as long.
    del made.graph.value_info[:]
    if not any(
        node.op_type in ("MatMulInteger", "DynamicQuantizeLSTM", "DynamicQuantizeMatMul") for node in made.graph.node
    ):
        raise ModelError(f"quantise {name}", found="no weights to quantise", expected="matrix products or an LSTM")
    return content(made)


def _small(graph: Any) -> set[str]:
    """Names of the products that stay as they are."""
    weights = {weight.name: weight.dims for weight in graph.initializer}
    return {node.name for node in graph.node if _is_product(node, weights) and min(weights[node.input[1]]) < _LEAST}


def _read_in_two_parts(graph: Any, kept: set[str]) -> None:
    """Let every product that the input reaches without passing another read its rows as what 8 bits hold of them and,
    in a product of its own with the same weights, what they leave over.
    """
    from onnx import helper

    weights = {weight.name: weight for weight in graph.initializer}
    raw = {each.name for each in graph.input}
    nodes = []
    for node in graph.node:
        product = _is_product(node, weights)
        if not raw.intersection(node.input) or (product and node.name in kept):
            nodes.append(node)
        elif not product:
            raw.update(() if node.op_type == "LSTM" else node.output)
            nodes.append(node)
        else:
            (rows, weight, *bias), (sums,) = node.input, node.output
            weight = _laid_as_matmul(graph, weights[weight], node)
            held, left, coarse, fine = (f"{node.name}/{part}" for part in ("held", "left", "coarse", "fine"))
            quantised = [f"{held}/{part}" for part in ("integers", "step", "zero")]
            both = f"{node.name}/both" if bias else sums
            nodes += [
                helper.make_node("DynamicQuantizeLinear", [rows], quantised),
                helper.make_node("DequantizeLinear", quantised, [held]),
                helper.make_node("Sub", [rows, held], [left]),
                helper.make_node("MatMul", [held, weight], [coarse], coarse),
                helper.make_node("MatMul", [left, weight], [fine], fine),
                helper.make_node("Add", [coarse, fine], [both]),
                *([helper.make_node("Add", [both, *bias], [sums])] if bias else []),
            ]
    del graph.node[:]
    graph.node.extend(nodes)
    read = {name for node in nodes for name in node.input}
    kept_weights = [weight for weight in graph.initializer if weight.name in read]
    del graph.initializer[:]
    graph.initializer.extend(kept_weights)


def _laid_as_matmul(graph: Any, weight: Any, node: Any) -> str:
    """Name of a product's weight as (inputs, outputs). A Gemm's is turned; another product may read it as it is."""
    from onnx import numpy_helper

    if not any(attribute.name == "transB" and attribute.i for attribute in node.attribute):
        return str(weight.name)
    name = f"{node.name}/weight"
    turned = np.ascontiguousarray(numpy_helper.to_array(weight).T)
    graph.initializer.append(numpy_helper.from_array(turned, name))
    return name


def _is_product(node: Any, weights: Mapping[str, Any]) -> bool:
    """Whether it multiplies rows by a matrix of the graph's own."""
    return node.op_type in ("MatMul", "Gemm") and node.input[1] in weights


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    # The tool advises a preparation that these graphs, exported whole, do not need.
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(before)
