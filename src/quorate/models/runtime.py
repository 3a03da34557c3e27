"""Inference without the training libraries: every member runs from its ONNX graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from quorate.core.errors import ModelError
from quorate.core.types import Float32Array, FloatArray
from quorate.features.windows import Sequences
from quorate.models.byte_products import BITS, require_exact
from quorate.models.input_checks import Matrix, require_matrix

# Key of a graph's metadata: how many rows it runs at once.
BATCH = "quorate.batch"

_PIECE = 1_024  # windows copied at once for a graph that says nothing of it


class OnnxSession:
    """A member ready to predict.

    Args:
        graph: the serialised ONNX graph: input (B, F) float32, or (B, L, F) for a model of windows; last output (B, C).
        features: F as the bundle says; a graph of another width is refused.
        name: for messages.
        threads: of one run. One by default: two threads that fight another process collapse.

    Attributes:
        window: L, bars that one prediction reads; 1 for a model of single rows.
        batch: rows that the graph runs at once, as its metadata "quorate.batch" says: networks are fastest while what
            passes between their layers stays in the cache. None for a graph that takes all rows together.

    Raises:
        ModelError: bytes that are no ONNX graph, a graph of another input width or dtype, or one in 8 bits where the
            processor adds up their products wrongly.
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
        gives = self._session.get_outputs()[-1]
        self._output = gives.name
        reads = self._session.get_inputs()[0]
        self._input, shape = reads.name, reads.shape
        if shape[-1] != features:
            raise ModelError(f"load {name}", found=f"{shape[-1]} inputs", expected=f"{features} features")
        if reads.type != "tensor(float)":
            raise ModelError(f"load {name}", found=f"an input of {reads.type}", expected="tensor(float), float32")
        if len(shape) not in (2, 3) or not all(isinstance(axis, int) for axis in shape[1:]):
            raise ModelError(
                f"load {name}", found=f"an input of {shape}", expected="(B, F) or (B, L, F), L and F fixed"
            )
        columns = gives.shape[-1] if gives.shape else None
        if not isinstance(columns, int):
            raise ModelError(f"load {name}", found=f"an output of {gives.shape}", expected="(B, C), C fixed")
        self._columns = columns
        self._axes = "BF" if len(shape) == 2 else "BLF"
        self.window = 1 if len(shape) == 2 else shape[1]
        said = self._session.get_modelmeta().custom_metadata_map
        self.batch = self._best_batch(said)
        if BITS in said:
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
        if not len(X):  # never asked of the runtime, which an LSTM without rows brings down
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

    def _best_batch(self, metadata: Mapping[str, str]) -> int | None:
        said = metadata.get(BATCH)
        if said is None:
            return None
        if not (said.isascii() and said.isdigit() and int(said) > 0):
            raise ModelError(f"load {self.name}", found=f"{BATCH} = {said!r}", expected="a number of rows")
        return int(said)


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
