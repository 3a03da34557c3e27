"""8-bit quantisation of a network's ONNX graph: faster on processors with byte products."""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from quorate.models.byte_products import BITS
from quorate.models.export import content, import_onnx, parse_graph
from quorate.models.input_checks import Matrix
from quorate.models.quantise.not_quantisable import NotQuantisable
from quorate.models.quantise.recurrence import has_lstm, quantise_lstms
from quorate.models.quantise.split_input import is_product, split_input
from quorate.models.telemetry import disable_telemetry

# Operators with nearly all weights of a network without LSTM layers.
_OPERATORS = ["MatMul", "Gemm"]

# A product with fewer inputs or outputs is not faster in 8 bits.
_LEAST = 16


def quantise(graph: bytes, name: str, windows: Matrix | None = None) -> bytes:
    """Quantise the matrix products of a graph to 8 bits.

    Weights become 8-bit integers with one scale per column; activations are quantised at run time (dynamic
    quantisation). Input and output of the graph are unchanged. Products of the input window read it as the sum of two
    8-bit parts, because its quantisation error has the largest effect on decisions. LSTM layers read their states so,
    for batches of many windows; the rest of them stays in single precision.

    Source: Jacob et al. (2018), Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
    Inference; ONNX Runtime's quantisation tool.

    Args:
        graph: a serialised ONNX graph in single precision.
        name: for error messages.
        windows: (n, L, F) float32 training windows, by which the weights of LSTM layers are rounded; unused otherwise.

    Raises:
        NotQuantisable: no weights to quantise, or LSTM layers of another form than those of the lstm model.
        ModelError: bytes that are not a graph; for an LSTM, no windows.
        MissingExtraError: onnx is not installed.
    """
    onnx, model = import_onnx(f"quantise {name}"), parse_graph(graph, f"quantise {name}")
    disable_telemetry()
    from onnxruntime.quantization import QuantType, quantize_dynamic  # needs onnx

    if has_lstm(model.graph):
        quantise_lstms(model, windows, name)
        return _marked(model)
    kept = _small_products(model.graph)
    split_input(model.graph, kept)
    with tempfile.TemporaryDirectory() as folder, _quiet():
        path = Path(folder) / "int8.onnx"
        quantize_dynamic(
            model,
            path,
            op_types_to_quantize=_OPERATORS,
            per_channel=True,
            weight_type=QuantType.QInt8,
            # The tool replaces each Gemm by a MatMul and an Add before it reads this list.
            nodes_to_exclude=[node + suffix for node in kept for suffix in ("", "_MatMul")],
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )
        quantised = onnx.load(str(path))
    # With the tool's value_info, ONNX Runtime's memory layout makes a softmax twice as slow.
    del quantised.graph.value_info[:]
    if not any(node.op_type in ("MatMulInteger", "DynamicQuantizeMatMul") for node in quantised.graph.node):
        raise NotQuantisable(f"quantise {name}", found="no weights to quantise", expected="matrix products or an LSTM")
    return _marked(quantised)


def _marked(model: Any) -> bytes:
    """The model as bytes, marked in its metadata as an 8-bit graph."""
    model.metadata_props.add(key=BITS, value="8")
    return content(model)


def _small_products(graph: Any) -> set[str]:
    """Names of the products that are too small to quantise."""
    weights = {weight.name: weight.dims for weight in graph.initializer}
    return {node.name for node in graph.node if is_product(node, weights) and min(weights[node.input[1]]) < _LEAST}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    # The tool logs advice on a preprocessing step that these graphs do not need.
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(before)
