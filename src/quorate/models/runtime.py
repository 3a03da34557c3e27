"""Inference by ONNX Runtime, without the training libraries."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from threading import Lock
from typing import Any

import numpy as np

from quorate.core.errors import ModelError
from quorate.core.types import Float32Array, FloatArray
from quorate.models.byte_products import BITS, require_exact
from quorate.models.input_checks import Matrix, require_matrix
from quorate.models.onnx_graphs import BATCH, require_bounded, require_cheap
from quorate.models.telemetry import disable_telemetry

# Rows and windows that a graph runs at most at once.
_ROWS, _WINDOWS = 65_536, 1_024

# Nodes of a graph up to which memory is planned: the own networks have up to about 300.
_MOST_PLANNED = 1_000

# Longest window that a graph may read, in bars: that of the settings of networks.
_LONGEST_WINDOW = 10_000

# Digits of the largest batch size.
_BATCH_DIGITS = 9

# Memory of all runs at one time, in bytes, without the constants of the graphs: an LSTM uses up to about 100 MiB.
_MEMORY = 2 * 2**30

# Letters of an error of ONNX Runtime that are kept.
_LONGEST_MESSAGE = 400

_log = logging.getLogger(__name__)

_arena_lock = Lock()
_arena_made = False


class OnnxSession:
    """An ONNX graph loaded for prediction.

    The graph is checked by `require_bounded` and `require_cheap` first. Runs of all sessions together use at most 2 GiB
    of memory for intermediate results; a run that needs more fails.

    Args:
        graph: the serialised ONNX graph: input (B, F) float32, or (B, L, F) for a model of windows; last output (B, C).
        features: F of the bundle; a graph with another number of inputs is refused.
        name: for error messages.
        threads: of one run; one by default, because several are slow when other processes use the cores.

    Attributes:
        window: L, bars that one prediction reads; 1 for a model of single rows.
        columns: C, values that the graph says it returns for a row.
        batch: rows that the graph runs at once, from its metadata "quorate.batch": networks are fastest while their
            activations fit in the cache. None to run all rows together.

    Raises:
        ModelError: bytes that are not an ONNX graph, a graph outside the limits, with another input width or dtype or
            several inputs, or an 8-bit graph on a processor that does not sum products of bytes exactly.
    """

    def __init__(self, graph: bytes, features: int, name: str, threads: int = 1) -> None:
        require_bounded(graph, name)
        size = require_cheap(graph, name, _ROWS, _WINDOWS)
        self._most = size.rows
        disable_telemetry()
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as runtime

        _limit_memory()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        # The plan of which results share memory takes a time that grows with the square of their number.
        options.enable_mem_reuse = size.nodes <= _MOST_PLANNED
        options.add_session_config_entry("session.use_env_allocators", "1")
        # Constants are as large as their file: they do not count towards the memory of runs.
        options.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
        self.name = name
        self._attempted = f"predict with {name}"
        self.features = features
        self._failures = _failures(runtime)
        try:
            self._session: Any = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
            self._read_ends()
        except self._failures as error:
            raise ModelError(f"load {name}", found=_first_line(error), expected="an ONNX graph") from error
        self._run_options = onnxruntime.RunOptions
        # Times of the monotonic clock, s: options of each batch under way -> start of its run; the last `stop`.
        self._running: dict[Any, float] = {}
        self._stopped_before = 0.0

    def run(self, X: Matrix) -> FloatArray:
        """(B, C) scores or returns as float64, for (B, F) float32 rows or (B, L, F) windows.

        Raises:
            ModelError: another number of columns or bars, another dtype, NaN or infinity, or the runtime's own failure.
        """
        attempted = self._attempted
        require_matrix(X, self.features, attempted, self._axes)
        if self.window > 1 and X.shape[1] != self.window:
            raise ModelError(attempted, found=f"windows of {X.shape[1]} bars", expected=f"{self.window} bars")
        size = min(self.batch or self._most, self._most)
        if not len(X):  # ONNX Runtime crashes on an LSTM without rows
            return np.empty((0, self.columns))
        if len(X) <= size:
            return self._run(X[:], time.monotonic())
        began = time.monotonic()
        return np.concatenate([self._run(X[first : first + size], began) for first in range(0, len(X), size)])

    def stop(self, older_than_s: float = 0.0) -> None:
        """End the runs of other threads that began so long ago, before their next operator; they raise a `ModelError`.

        Args:
            older_than_s: seconds.
        """
        before = time.monotonic() - older_than_s
        self._stopped_before = max(self._stopped_before, before)
        for options, began in self._running.copy().items():
            if began <= before:
                options.terminate = True

    def _run(self, rows: Float32Array, began: float) -> FloatArray:
        """Run the rows of one batch of a run, unless that run was stopped."""
        options = self._run_options()
        self._running[options] = began
        try:
            if began <= self._stopped_before:
                options.terminate = True
            (output,) = self._session.run([self._output], {self._input: rows}, options)
        except self._failures as error:
            found = _first_line(error)
            if options.terminate:
                found = f"no result after {time.monotonic() - began:.1f} s, when it was stopped"
            raise ModelError(self._attempted, found=found, expected="a graph that runs") from error
        finally:
            del self._running[options]
        return np.asarray(output, dtype=np.float64)

    def _read_ends(self) -> None:
        """Read and check the input, the output and the metadata of the graph."""
        output = self._session.get_outputs()[-1]
        self._output = output.name
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            raise ModelError(f"load {self.name}", found=f"{len(inputs)} inputs of the graph", expected="one")
        given = inputs[0]
        self._input, shape = given.name, given.shape
        if not shape:
            raise ModelError(f"load {self.name}", found="an input without a shape", expected="(B, F) or (B, L, F)")
        if shape[-1] != self.features:
            raise ModelError(f"load {self.name}", found=f"{shape[-1]} inputs", expected=f"{self.features} features")
        if given.type != "tensor(float)":
            raise ModelError(f"load {self.name}", found=f"an input of {given.type}", expected="tensor(float), float32")
        if len(shape) not in (2, 3) or not all(isinstance(axis, int) for axis in shape[1:]):
            raise ModelError(
                f"load {self.name}", found=f"an input of {shape}", expected="(B, F) or (B, L, F), L and F fixed"
            )
        columns = output.shape[-1] if output.shape else None
        if not isinstance(columns, int):
            raise ModelError(f"load {self.name}", found=f"an output of {output.shape}", expected="(B, C), C fixed")
        if output.type not in ("tensor(float)", "tensor(double)"):
            raise ModelError(f"load {self.name}", found=f"an output of {output.type}", expected="tensor(float)")
        self.columns = columns
        self._axes = "BF" if len(shape) == 2 else "BLF"
        self.window = 1 if len(shape) == 2 else shape[1]
        if not 1 <= self.window <= _LONGEST_WINDOW:
            raise ModelError(
                f"load {self.name}", found=f"windows of {self.window} bars", expected=f"1 to {_LONGEST_WINDOW} bars"
            )
        metadata = self._session.get_modelmeta().custom_metadata_map
        self.batch = self._batch_size(metadata)
        if BITS in metadata:
            require_exact(f"load {self.name}")

    def _batch_size(self, metadata: Mapping[str, str]) -> int | None:
        text = metadata.get(BATCH)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= _BATCH_DIGITS and int(text) > 0):
            raise ModelError(f"load {self.name}", found=f"{BATCH} = {text[:40]!r}", expected="a number of rows")
        return int(text)


def _limit_memory() -> None:
    """Give ONNX Runtime's sessions one arena of limited size, once in a process."""
    global _arena_made
    with _arena_lock:
        if _arena_made:
            return
        disable_telemetry()
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as runtime

        where = onnxruntime.OrtMemoryInfo(
            "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
        )
        growth = ("arena_extend_strategy", "initial_chunk_size_bytes", "max_dead_bytes_per_chunk")
        arena = onnxruntime.OrtArenaCfg({"max_mem": _MEMORY, **dict.fromkeys(growth, -1)})
        try:
            onnxruntime.create_and_register_allocator(where, arena)
        except _failures(runtime) as error:
            # A program that embeds this package has made one, of the size that it chose.
            _log.debug("ONNX Runtime keeps the arena that it has: %s", error)
        _arena_made = True


def _failures(runtime: Any) -> tuple[type[Exception], ...]:
    """Every error of ONNX Runtime; of an allocation; and of names that are not UTF-8."""
    found = [value for value in vars(runtime).values() if isinstance(value, type) and issubclass(value, Exception)]
    return (*found, MemoryError, UnicodeDecodeError)


def _first_line(error: Exception) -> str:
    """The first line of an error; names in it come from the graph."""
    line = (str(error).splitlines() or [type(error).__name__])[0][:_LONGEST_MESSAGE]
    return "".join(letter if letter.isprintable() else "?" for letter in line)


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
