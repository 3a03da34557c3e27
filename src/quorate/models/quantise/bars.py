"""An LSTM's layers as products of bytes, bar after bar.

The runtime's own LSTM of 8 bits has one step of quantisation for all states, and a recurrence goes wrong by it on each
bar. Here a state h is read in two parts of 8 bits, H and r; a weight w has one, V, rounded for the states that it is
multiplied by (`rounding.py`):

    h = a (H + r / k)        one a for all states, which lie between -1 and 1
    w = b V                  one b for a column of weights
    h w = a b (H V + r w / (b k))

With w / (b k) rounded, too, both are of one unit. So they are one product of bytes, twice as long, with one sum of 32
bits: (H, r) by (V, w / (b k)).

What the lowest layer reads of the window stays in single precision: it is a thirtieth of the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from quorate.core.types import Float32Array
from quorate.models.quantise.rounding import LARGEST, rounded

# Of an LSTM's weights, as ONNX orders them: input, output, forget, cell.
_GATES = "iofc"

# k. Measured on a trained LSTM: of 8 to 32 this errs least.
_FINER = 16.0

# a. A state of 1 is the largest integer; bytes count from the zero.
_STEP, _ZERO = 1 / LARGEST, 128

# Parts of a state.
_PARTS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """The weights of an LSTM, and what it makes of windows.

    Attributes:
        reads: (F, 4 * width) of what it reads.
        repeats: (width, 4 * width) of its own state at the bar before.
        bias: (4 * width,).
        states: (L, n, width) after each bar of n windows, by the weights as they are.
    """

    reads: Float32Array
    repeats: Float32Array
    bias: Float32Array
    states: Float32Array

    @property
    def width(self) -> int:
        return len(self.repeats)

    def of(self, gate: str) -> slice:
        """The columns of a gate."""
        first = _GATES.index(gate) * self.width
        return slice(first, first + self.width)


@dataclass(frozen=True, slots=True)
class State:
    """Names of what a layer hands on from bar to bar.

    Attributes:
        parts: (B, 2 * width) its state in bytes: H and r.
        cell: (B, width).
        state: (B, width).
    """

    parts: str
    cell: str
    state: str

    @classmethod
    def named(cls, layer: int, when: str) -> State:
        return cls(*(f"{field.name} {layer} {when}" for field in fields(cls)))


class Writer:
    """Nodes as they are written, each with one output, which is named by its place.

    Args:
        name: what all names begin with.
    """

    def __init__(self, name: str) -> None:
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}
        self._name = name

    def __call__(self, operator: str, *read: str, domain: str = "", **settings: Any) -> str:
        """Write a node; the name of its output."""
        from onnx import helper

        made = f"{self._name}, {len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, read, [made], domain=domain, **settings))
        return made

    def constant(self, name: str, values: Any) -> str:
        """The name of a constant, made when it is first asked for."""
        from onnx import numpy_helper

        name = f"{self._name}: {name}"
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.array(values, order="C"), name)
        return name


def newest_states(write: Writer, layers: Sequence[Layer], rows: str) -> list[str]:
    """Write layers that stand upon each other, read over the bars of all windows.

    Args:
        write: the graph that they become part of.
        layers: from the lowest.
        rows: (L, B, F) the bars, from the oldest; L > 1.

    Returns:
        For each layer, the name of its (B, width) states at the newest bar.
    """
    from onnx import TensorProto, helper

    oldest = write("Gather", rows, write.constant("oldest", np.int64(0)), axis=0)
    cuts = (("second", 1), ("end", np.iinfo(np.int64).max), ("axis of bars", 0))
    later = write("Slice", rows, *(write.constant(name, np.array([place])) for name, place in cuts))
    begun = _bar(write, layers, oldest, [])

    bar = Writer("a later bar")
    reads, before = "its features", [State.named(number, "before") for number in range(len(layers))]
    after = _bar(bar, layers, reads, before)

    def typed(states: Sequence[State]) -> list[Any]:
        kinds = {"parts": (TensorProto.UINT8, _PARTS), "cell": (TensorProto.FLOAT, 1), "state": (TensorProto.FLOAT, 1)}
        return [
            helper.make_tensor_value_info(getattr(state, part), kind, ["B", times * layer.width])
            for layer, state in zip(layers, states, strict=True)
            for part, (kind, times) in kinds.items()
        ]

    features = helper.make_tensor_value_info(reads, TensorProto.FLOAT, ["B", len(layers[0].reads)])
    body = helper.make_graph(
        bar.nodes, "a later bar", [*typed(before), features], typed(after), list(bar.constants.values())
    )
    newest = [State.named(number, "at last") for number in range(len(layers))]
    first, last = ([name for state in states for name in astuple(state)] for states in (begun, newest))
    write.nodes.append(helper.make_node("Scan", [*first, later], last, body=body, num_scan_inputs=1))
    return [state.state for state in newest]


def _bar(write: Writer, layers: Sequence[Layer], features: str, before: Sequence[State]) -> list[State]:
    """All layers at one bar.

    Args:
        write: the graph.
        layers: from the lowest.
        features: (B, F) of the bar.
        before: what the layers handed on at the bar before; nothing at the oldest.
    """
    after: list[State] = []
    for number, layer in enumerate(layers):
        handed = before[number] if before else None
        # In bytes: the state of the layer below, and its own of the bar before.
        multiplied = []
        if after:
            below = layers[number - 1].states
            multiplied.append((after[-1].parts, layer.reads, below[1:] if handed else below[:1]))
        if handed:
            multiplied.append((handed.parts, layer.repeats, layer.states[:-1]))
        parts = [part for part, _, _ in multiplied]
        read = write("Concat", *parts, axis=1) if len(parts) > 1 else "".join(parts)
        weights = _weights([(matrix, states) for _, matrix, states in multiplied]) if multiplied else None
        gates = {}
        for gate in _GATES if handed else _GATES.replace("f", ""):  # at the oldest bar there is nothing to forget
            name, columns = f"{gate} {number}", layer.of(gate)
            bias = layer.bias[columns]
            if weights is None:
                sums = write.constant(f"bias of {name}", bias)
            else:
                sums = _product(write, read, weights, columns, bias, name)
            if not after:
                sums = write("Gemm", features, write.constant(f"of {name}", layer.reads[:, columns]), sums)
            gates[gate] = write("Tanh" if gate == "c" else "Sigmoid", sums)
        cell = write("Mul", gates["i"], gates["c"])
        if handed:
            cell = write("Add", write("Mul", gates["f"], handed.cell), cell)
        state = write("Mul", gates["o"], write("Tanh", cell))
        after.append(State(_parts(write, state), cell, state))
    return after


def _parts(write: Writer, states: str) -> str:
    """(B, 2 * width) bytes of (B, width) states: H and r."""
    zero, step = write.constant("zero", np.uint8(_ZERO)), write.constant("step", np.float32(_STEP))
    finer = write.constant("finer step", np.float32(_STEP / _FINER))
    large = write("QuantizeLinear", states, step, zero)
    left = write("Sub", states, write("DequantizeLinear", large, step, zero))
    return write("Concat", large, write("QuantizeLinear", left, finer, zero), axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """Of states in parts.

    Attributes:
        integers: (2 * n, u) int8, for the parts of n states.
        scale: (u,) float32, b.
        bias: (u,) float32 to be added.
    """

    integers: npt.NDArray[np.int8]
    scale: Float32Array
    bias: Float32Array


def _weights(multiplied: Sequence[tuple[Float32Array, Float32Array]]) -> Weights:
    """Of the matrices of one layer and the (bars, windows, width) states that each is multiplied by."""
    exact = np.concatenate([matrix for matrix, _ in multiplied])
    scale = np.abs(exact).max(axis=0) / LARGEST
    scale = np.where(scale > 0, scale, 1).astype(np.float32)
    states = np.concatenate([seen.reshape(-1, seen.shape[2]) for _, seen in multiplied], axis=1)
    large, bias = rounded(exact, scale, states)
    small = np.round(exact / scale / _FINER)
    # Parts follow each other state by state: H and r of the layer below, then of its own.
    ends = np.cumsum([len(matrix) for matrix, _ in multiplied])[:-1]
    parts = zip(np.split(large, ends), np.split(small, ends), strict=True)
    integers = np.concatenate([part for pair in parts for part in pair]).astype(np.int8)
    return Weights(integers, scale, bias)


def _product(write: Writer, parts: str, weights: Weights, columns: slice, bias: Float32Array, name: str) -> str:
    """States in parts, side by side, by some columns of their weights; and the bias."""
    return write(
        "MatMulIntegerToFloat",
        parts,
        write.constant(f"weights of {name}", weights.integers[:, columns]),
        write.constant("step", np.float32(_STEP)),
        write.constant(f"scale of {name}", weights.scale[columns]),
        write.constant("zero", np.uint8(_ZERO)),
        "",
        write.constant(f"bias of {name}", bias + weights.bias[columns]),
        domain="com.microsoft",
    )
