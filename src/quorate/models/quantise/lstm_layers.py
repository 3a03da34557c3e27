"""An LSTM's layers as products of bytes, bar after bar.

The runtime's own LSTM of 8 bits has one step of quantisation for all states, and a recurrence goes wrong by it on each
bar. Here states are read in two parts (`states.py`). Weights are, too, at the newest third of the bars; what goes wrong
at the others is mostly forgotten at the end, and there one part is enough.

What the lowest layer reads of the window stays in single precision: it is a thirtieth of the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields, replace
from typing import Any

import numpy as np

from quorate.core.types import Float32Array
from quorate.models.quantise.states import Parts, in_bytes, product, weights
from quorate.models.quantise.writer import Writer

# Of an LSTM's weights, as ONNX orders them: input, output, forget, cell.
_GATES = "iofc"


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
class LayerState:
    """Names of what a layer hands on from bar to bar.

    Attributes:
        parts: (B, parts * width) its state in bytes.
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
    """Write layers that stand upon each other, read over the bars of all windows.

    Args:
        write: the graph that they become part of.
        layers: from the lowest.
        rows: (L, B, F) the bars, from the oldest; L > 1.

    Returns:
        For each layer, the name of its (B, width) states at the newest bar.
    """
    bars = len(layers[0].states)
    newer = bars - max(1, bars // 3)
    oldest = write("Gather", rows, write.constant("oldest", np.int64(0)), axis=0)
    states = _bar(write, layers, oldest, [], 2)
    if newer > 1:
        states = _bars(write, layers, _cut(write, rows, 1, newer), states, "an older bar", 2)
    states = [replace(state, parts=in_bytes(write, state.state, 3)) for state in states]
    states = _bars(write, layers, _cut(write, rows, newer, bars), states, "a newer bar", 3)
    return [state.state for state in states]


def _cut(write: Writer, rows: str, first: int, end: int) -> str:
    """Bars from the first to before the end."""
    places = (write.constant(f"bar {place}", np.array([place])) for place in (first, end))
    return write("Slice", rows, *places, write.constant("axis of bars", np.array([0])))


def _bars(
    write: Writer, layers: Sequence[Layer], rows: str, before: Sequence[LayerState], name: str, parts: Parts
) -> list[LayerState]:
    """All layers over some bars, at each the same; what they hand on at the last.

    Args:
        write: the graph.
        layers: from the lowest.
        rows: (l, B, F) the bars.
        before: what the layers handed on at the bar before.
        name: of such a bar.
        parts: of which the products are.
    """
    from onnx import TensorProto, helper

    def typed(states: Sequence[LayerState]) -> list[Any]:
        kinds = {"parts": (TensorProto.UINT8, parts), "cell": (TensorProto.FLOAT, 1), "state": (TensorProto.FLOAT, 1)}
        return [
            helper.make_tensor_value_info(getattr(state, part), kind, ["B", times * layer.width])
            for layer, state in zip(layers, states, strict=True)
            for part, (kind, times) in kinds.items()
        ]

    bar, features = Writer(name), f"features of {name}"
    given, found = (
        [LayerState.named(number, f"{when} {name}") for number in range(len(layers))] for when in ("before", "after")
    )
    made = _bar(bar, layers, features, given, parts)
    read = helper.make_tensor_value_info(features, TensorProto.FLOAT, ["B", len(layers[0].reads)])
    body = helper.make_graph(bar.nodes, name, [*typed(given), read], typed(made), list(bar.constants.values()))
    first, last = ([each for state in states for each in astuple(state)] for states in (before, found))
    write.nodes.append(helper.make_node("Scan", [*first, rows], last, body=body, num_scan_inputs=1))
    return found


def _bar(
    write: Writer, layers: Sequence[Layer], features: str, before: Sequence[LayerState], parts: Parts
) -> list[LayerState]:
    """All layers at one bar.

    Args:
        write: the graph.
        layers: from the lowest.
        features: (B, F) of the bar.
        before: what the layers handed on at the bar before; nothing at the oldest.
        parts: of which the products are.
    """
    after: list[LayerState] = []
    for number, layer in enumerate(layers):
        handed = before[number] if before else None
        # In bytes: the state of the layer below, and its own of the bar before.
        read, multiplied = [], []
        if after:
            below = layers[number - 1].states
            read.append(after[-1].parts)
            multiplied.append((layer.reads, below[1:] if handed else below[:1]))
        if handed:
            read.append(handed.parts)
            multiplied.append((layer.repeats, layer.states[:-1]))
        states = write("Concat", *read, axis=1) if len(read) > 1 else "".join(read)
        of_states = weights(multiplied, parts) if multiplied else None
        gates = {}
        for gate in _GATES if handed else _GATES.replace("f", ""):  # at the oldest bar there is nothing to forget
            name, columns = f"{gate} {number}", layer.of(gate)
            if of_states is None:
                sums = write.constant(f"bias of {name}", layer.bias[columns])
            else:
                sums = product(write, states, of_states, columns, layer.bias[columns], name)
            if not after:
                sums = write("Gemm", features, write.constant(f"of {name}", layer.reads[:, columns]), sums)
            gates[gate] = write("Tanh" if gate == "c" else "Sigmoid", sums)
        cell = write("Mul", gates["i"], gates["c"])
        if handed:
            cell = write("Add", write("Mul", gates["f"], handed.cell), cell)
        state = write("Mul", gates["o"], write("Tanh", cell))
        after.append(LayerState(in_bytes(write, state, parts), cell, state))
    return after
