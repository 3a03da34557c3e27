"""Inference by ONNX Runtime, without the training libraries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from quorate.core.errors import ModelError
from quorate.core.types import Float32Array, FloatArray
from quorate.features.windows import Sequences
from quorate.models.byte_products import BITS, require_exact
from quorate.models.input_checks import Matrix, require_matrix

# Metadata key of a graph: its fastest batch size, in rows.
BATCH = "quorate.batch"

_PIECE = 1_024  # windows copied at once for a graph without a batch size


class OnnxSession:
    """An ONNX graph loaded for prediction.

    Args:
        graph: the serialised ONNX graph: input (B, F) float32, or (B, L, F) for a model of windows; last output (B, C).
        features: F of the bundle; a graph with another number of inputs is refused.
        name: for error messages.
        threads: of one run; one by default, because several are slow when other processes use the cores.

    Attributes:
        window: L, bars that one prediction reads; 1 for a model of single rows.
        batch: rows that the graph runs at once, from its metadata "quorate.batch": networks are fastest while their
            activations fit in the cache. None to run all rows together.

    Raises:
        ModelError: bytes that are not an ONNX graph, a graph with another input width or dtype, or an 8-bit graph on
            a processor that does not sum products of bytes exactly.
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
        self._attempted = f"predict with {name}"
        self.features = features
        self._failures = (failures.Fail, failures.InvalidArgument, failures.RuntimeException)
        output = self._session.get_outputs()[-1]
        self._output = output.name
        given = self._session.get_inputs()[0]
        self._input, shape = given.name, given.shape
        if shape[-1] != features:
            raise ModelError(f"load {name}", found=f"{shape[-1]} inputs", expected=f"{features} features")
        if given.type != "tensor(float)":
            raise ModelError(f"load {name}", found=f"an input of {given.type}", expected="tensor(float), float32")
        if len(shape) not in (2, 3) or not all(isinstance(axis, int) for axis in shape[1:]):
            raise ModelError(
                f"load {name}", found=f"an input of {shape}", expected="(B, F) or (B, L, F), L and F fixed"
            )
        columns = output.shape[-1] if output.shape else None
        if not isinstance(columns, int):
            raise ModelError(f"load {name}", found=f"an output of {output.shape}", expected="(B, C), C fixed")
        self._columns = columns
        self._axes = "BF" if len(shape) == 2 else "BLF"
        self.window = 1 if len(shape) == 2 else shape[1]
        metadata = self._session.get_modelmeta().custom_metadata_map
        self.batch = self._batch_size(metadata)
        if BITS in metadata:
            require_exact(f"load {name}")

    def run(self, X: Matrix) -> FloatArray:
        """(B, C) scores or returns as float64, for (B, F) float32 rows or (B, L, F) windows.

        Raises:
            ModelError: another number of columns or bars, another dtype, NaN or infinity, or the runtime's own failure.
        """
        attempted = self._attempted
        require_matrix(X, self.features, attempted, self._axes)
        if self.window > 1 and X.shape[1] != self.window:
            raise ModelError(attempted, found=f"windows of {X.shape[1]} bars", expected=f"{self.window} bars")
        size = self.batch or (_PIECE if isinstance(X, Sequences) else len(X))
        if not len(X):  # ONNX Runtime crashes on an LSTM without rows
            return np.empty((0, self._columns))
        if len(X) <= size:
            return self._run(X[:], attempted)
        return np.concatenate([self._run(X[first : first + size], attempted) for first in range(0, len(X), size)])

    def _run(self, rows: Float32Array, attempted: str) -> FloatArray:
        try:
            (output,) = self._session.run([self._output], {self._input: rows})
        except self._failures as error:
            raise ModelError(attempted, found=str(error).splitlines()[0], expected="a graph that runs") from error
        return np.asarray(output, dtype=np.float64)

    def _batch_size(self, metadata: Mapping[str, str]) -> int | None:
        text = metadata.get(BATCH)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and int(text) > 0):
            raise ModelError(f"load {self.name}", found=f"{BATCH} = {text!r}", expected="a number of rows")
        return int(text)


def require_same(expected: FloatArray, actual: FloatArray, name: str, tolerance: float = 1e-5) -> None:
    """Raise if the outputs of an exported graph differ from those of the model.

    Args:
        expected: (B, C) outputs of the model.
        actual: (B, C) outputs of the graph.
        name: of the model, for error messages.
        tolerance: largest difference, relative to max(1, |value|).

    Raises:
        ModelError: a row that differs by more, or by NaN.
    """
    off = np.abs(expected - actual) / np.maximum(1.0, np.abs(expected))
    wrong = ~(off <= tolerance).all(axis=1)
    if wrong.any():
        raise ModelError(
            f"export {name} to ONNX",
            found=f"{wrong.sum()} of {len(off)} rows off, by up to {np.nanmax(off):.2g}",
            expected=f"every row within {tolerance:g}",
        )
