"""A network's graph with its weights in 8 bits: smaller, and faster where the processor multiplies bytes."""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

from quorate.core.errors import MissingExtraError, ModelError

# What holds nearly all of a network's weights.
_OPERATORS = ["MatMul", "Gemm", "LSTM"]


def quantise(graph: bytes, name: str) -> bytes:
    """The graph with the weights of its matrix products as 8-bit integers, one scale a column; activations are
    quantised as they come (dynamic quantisation). Its input and output are unchanged.

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
        from onnxruntime.quantization import QuantType, quantize_dynamic
    except ImportError as error:
        raise MissingExtraError(
            f"quantise {name}", found=str(error), remedy="Run: pip install 'quorate[train]'"
        ) from error

    try:
        model = onnx.load_from_string(graph)
    except ValueError as error:  # protobuf's DecodeError
        raise ModelError(f"quantise {name}", found=str(error), expected="an ONNX graph") from error
    with tempfile.TemporaryDirectory() as folder, _quiet():
        path = Path(folder) / "int8.onnx"
        quantize_dynamic(model, path, op_types_to_quantize=_OPERATORS, per_channel=True, weight_type=QuantType.QInt8)
        made = onnx.load(str(path))
    # The shapes that the tool noted: with them the runtime places its arrays so that a softmax takes twice as long.
    del made.graph.value_info[:]
    if not any(
        node.op_type in ("MatMulInteger", "DynamicQuantizeLSTM", "DynamicQuantizeMatMul") for node in made.graph.node
    ):
        raise ModelError(f"quantise {name}", found="no weights to quantise", expected="matrix products or an LSTM")
    return bytes(made.SerializeToString())


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
