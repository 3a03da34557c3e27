"""Inference without the training libraries: every member runs from its ONNX graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from quorate.core.errors import ModelError
from quorate.core.types import Float32Array, FloatArray
from quorate.models.matrix import require_matrix


class Session:
    """A member ready to predict.

    Args:
        graph: the serialised ONNX graph: input (B, F) float32, or (B, L, F) for a model of windows; last output (B, C).
        features: F as the bundle says; a graph of another width is refused.
        name: for messages.
        threads: of one run. One by default: two threads that fight another process collapse.

    Raises:
        ModelError: bytes that are no ONNX graph, or a graph of another input width or dtype.
    """

    def __init__(self, graph: bytes, features: int, name: str, threads: int = 1) -> None:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as failures

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session: Any = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except (
            failures.Fail,
            failures.InvalidArgument,
            failures.InvalidGraph,
            failures.InvalidProtobuf,
            failures.NotImplemented,
            failures.RuntimeException,
        ) as error:
            raise ModelError(f"load {name}", found=str(error).splitlines()[0], expected="an ONNX graph") from error
        self.name = name
        self.features = features
        self._output = self._session.get_outputs()[-1].name
        reads = self._session.get_inputs()[0]
        self._input, shape = reads.name, reads.shape
        if shape[-1] != features:
            raise ModelError(f"load {name}", found=f"{shape[-1]} inputs", expected=f"{features} features")
        if reads.type != "tensor(float)":
            raise ModelError(f"load {name}", found=f"an input of {reads.type}", expected="tensor(float), float32")
        self._axes = "B F" if len(shape) == 2 else "B L F"
        self.window = 1 if len(shape) == 2 else int(shape[1])

    def run(self, X: Float32Array) -> FloatArray:
        """(B, C) scores or returns as float64, for (B, F) float32 rows.

        Raises:
            ModelError: another number of columns or another dtype, NaN or infinity, or the runtime's own failure.
        """
        from onnxruntime.capi import onnxruntime_pybind11_state as failures

        attempted = f"predict with {self.name}"
        require_matrix(X, self.features, attempted, self._axes)
        try:
            (output,) = self._session.run([self._output], {self._input: X})
        except (failures.Fail, failures.InvalidArgument, failures.RuntimeException) as error:
            raise ModelError(attempted, found=str(error).splitlines()[0], expected="a graph that runs") from error
        return np.asarray(output, dtype=np.float64)


def require_same(expected: FloatArray, actual: FloatArray, name: str, tolerance: float = 1e-5) -> None:
    """Refuse an export that does not say what the model says.

    Raises:
        ModelError: a row further away than `tolerance` x max(1, |value|).
    """
    off = np.abs(expected - actual) / np.maximum(1.0, np.abs(expected))
    wrong = ~(off <= tolerance).all(axis=1)
    if wrong.any():
        raise ModelError(
            f"export {name} to ONNX",
            found=f"{wrong.sum()} of {len(off)} rows off, by up to {np.nanmax(off):.2g}",
            expected=f"every row within {tolerance:g}",
        )
