"""A network's graph with its weights in 8 bits: faster where the processor multiplies bytes."""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from quorate.core.errors import MissingExtraError, ModelError
from quorate.models.byte_products import BITS
from quorate.models.export import content
from quorate.models.input_checks import Matrix
from quorate.models.quantise.recurrence import has_recurrence, multiply_bytes
from quorate.models.quantise.two_parts import is_product, read_in_two_parts

# What holds nearly all of a network's weights, where it has no LSTM.
_OPERATORS = ["MatMul", "Gemm"]

# A product of fewer inputs or outputs would be no faster in 8 bits.
_LEAST = 16


def quantise(graph: bytes, name: str, windows: Matrix | None = None) -> bytes:
    """The graph with the weights of its matrix products as 8-bit integers, one scale a column; activations are
    quantised as they come (dynamic quantisation). Its input and output are unchanged.

    What reads the window itself reads it in two parts, each of 8 bits: its steps are what would change most decisions.
    An LSTM reads its own states so where it has many windows to read; all else of it stays as it is.

    Source: Jacob et al. (2018), Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
    Inference; the runtime's own tool.

    Args:
        graph: a serialised ONNX graph in single precision.
        name: for messages.
        windows: (n, L, F) float32 of training rows; an LSTM's weights are rounded by them, and only an LSTM needs any.

    Raises:
        ModelError: it has no weights of that kind, or is no graph; for an LSTM, no windows, or layers that are not
            understood.
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
    if has_recurrence(model.graph):
        multiply_bytes(model, windows, name)
        return _told(model)
    kept = _small(model.graph)
    read_in_two_parts(model.graph, kept)
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
    if not any(node.op_type in ("MatMulInteger", "DynamicQuantizeMatMul") for node in made.graph.node):
        raise ModelError(f"quantise {name}", found="no weights to quantise", expected="matrix products or an LSTM")
    return _told(made)


def _told(model: Any) -> bytes:
    """The model as bytes, which says that it multiplies bytes."""
    model.metadata_props.add(key=BITS, value="8")
    return content(model)


def _small(graph: Any) -> set[str]:
    """Names of the products that stay as they are."""
    weights = {weight.name: weight.dims for weight in graph.initializer}
    return {node.name for node in graph.node if is_product(node, weights) and min(weights[node.input[1]]) < _LEAST}


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
