"""LSTM layers as ONNX nodes with byte products, unrolled or scanned over the bars.

ONNX Runtime's 8-bit LSTM has one quantisation step for all states, and its error accumulates over the bars. Here states
have two parts (`states.py`). Weights have two parts at the newest third of the bars and one at the others, whose errors
are mostly forgotten by the last bar.

The input weights of the first layer stay in single precision: they are a thirtieth of the computation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields, replace
from typing import Any

import numpy as np

from quorate.core.types import Float32Array
from quorate.models.quantise.states import Parts, product, quantised_states, quantised_weights
from quorate.models.quantise.writer import Writer

# Order of the gates in ONNX: input, output, forget, cell.
_GATES = "iofc"


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Weights of one LSTM layer, and its states on example windows.

    Attributes:
        input: (F, 4 * width) weights of its input.
        recurrent: (width, 4 * width) weights of its state at the previous bar.
        bias: (4 * width,).
        states: (L, n, width) after each bar of n windows, with the unquantised weights.
    """

    input: Float32Array
    recurrent: Float32Array
    bias: Float32Array
    states: Float32Array

    @property
    def width(self) -> int:
        return len(self.recurrent)

    def columns(self, gate: str) -> slice:
        """The columns of a gate."""
        first = _GATES.index(gate) * self.width
        return slice(first, first + self.width)


@dataclass(frozen=True, slots=True)
class LayerState:
    """Names of the values that a layer passes to the next bar. The field names are part of the names in the graph.

    Attributes:
        parts: (B, parts * width) its quantised state.
        cell: (B, width).
        state: (B, width).
    """

    parts: str
    cell: str
    state: str

    @classmethod
    def named(cls, layer: int, when: str) -> LayerState:
        return cls(*(f"{field.name} {layer} {when}" for field in fields(cls)))


def newest_states(write: Writer, layers: Sequence[Layer], rows: str) -> list[str]:
    """Add stacked layers that read all bars.

    Args:
        write: the graph.
        layers: from the first.
        rows: name of the (L, B, F) bars, from the oldest; L > 1.

    Returns:
        For each layer, the name of its (B, width) states at the newest bar.
    """
    bars = len(layers[0].states)
    newer = bars - max(1, bars // 3)
    oldest = write("Gather", rows, write.constant("oldest", np.int64(0)), axis=0)
    states = _bar(write, layers, oldest, [], 2)
    if newer > 1:
        states = _bars(write, layers, _slice(write, rows, 1, newer), states, "an older bar", 2)
    states = [replace(state, parts=quantised_states(write, state.state, 3)) for state in states]
    states = _bars(write, layers, _slice(write, rows, newer, bars), states, "a newer bar", 3)
    return [state.state for state in states]


def _slice(write: Writer, rows: str, first: int, end: int) -> str:
    """Bars from `first` to before `end`."""
    bounds = (write.constant(f"bar {bar}", np.array([bar])) for bar in (first, end))
    return write("Slice", rows, *bounds, write.constant("axis of bars", np.array([0])))


def _bars(
    write: Writer, layers: Sequence[Layer], rows: str, before: Sequence[LayerState], name: str, parts: Parts
) -> list[LayerState]:
    """Add a Scan of all layers over some bars; returns the states at the last one.

    Args:
        write: the graph.
        layers: from the first.
        rows: name of the (l, B, F) bars.
        before: states at the previous bar.
        name: of the Scan's body.
        parts: of the products.
    """
    from onnx import TensorProto, helper

    def typed(states: Sequence[LayerState]) -> list[Any]:
        types = {"parts": (TensorProto.UINT8, parts), "cell": (TensorProto.FLOAT, 1), "state": (TensorProto.FLOAT, 1)}
        return [
            helper.make_tensor_value_info(getattr(state, field), kind, ["B", times * layer.width])
            for layer, state in zip(layers, states, strict=True)
            for field, (kind, times) in types.items()
        ]

    bar, features = Writer(name), f"features of {name}"
    inner, final = (
        [LayerState.named(number, f"{when} {name}") for number in range(len(layers))] for when in ("before", "after")
    )
    outputs = _bar(bar, layers, features, inner, parts)
    scanned = helper.make_tensor_value_info(features, TensorProto.FLOAT, ["B", len(layers[0].input)])
    body = helper.make_graph(bar.nodes, name, [*typed(inner), scanned], typed(outputs), list(bar.constants.values()))
    first, last = ([value for state in states for value in astuple(state)] for states in (before, final))
    write.nodes.append(helper.make_node("Scan", [*first, rows], last, body=body, num_scan_inputs=1))
    return final


def _bar(
    write: Writer, layers: Sequence[Layer], features: str, before: Sequence[LayerState], parts: Parts
) -> list[LayerState]:
    """Add all layers at one bar.

    Args:
        write: the graph.
        layers: from the first.
        features: name of the (B, F) features of the bar.
        before: states at the previous bar; empty at the oldest.
        parts: of the products.
    """
    after: list[LayerState] = []
    for number, layer in enumerate(layers):
        previous = before[number] if before else None
        # Quantised inputs: the state of the layer below at this bar, and the layer's own at the previous one.
        inputs, factors = [], []
        if after:
            below = layers[number - 1].states
            inputs.append(after[-1].parts)
            factors.append((layer.input, below[1:] if previous else below[:1]))
        if previous:
            inputs.append(previous.parts)
            factors.append((layer.recurrent, layer.states[:-1]))
        states = write("Concat", *inputs, axis=1) if len(inputs) > 1 else "".join(inputs)
        weights = quantised_weights(factors, parts) if factors else None
        gates = {}
        for gate in _GATES if previous else _GATES.replace("f", ""):  # the oldest bar has no cell to forget
            name, columns = f"{gate} {number}", layer.columns(gate)
            if weights is None:
                sums = write.constant(f"bias of {name}", layer.bias[columns])
            else:
                sums = product(write, states, weights, columns, layer.bias[columns], name)
            if not after:
                sums = write("Gemm", features, write.constant(f"of {name}", layer.input[:, columns]), sums)
            gates[gate] = write("Tanh" if gate == "c" else "Sigmoid", sums)
        cell = write("Mul", gates["i"], gates["c"])
        if previous:
            cell = write("Add", write("Mul", gates["f"], previous.cell), cell)
        state = write("Mul", gates["o"], write("Tanh", cell))
        after.append(LayerState(quantised_states(write, state, parts), cell, state))
    return after
