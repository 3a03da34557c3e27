"""Upper limits of the time of each operator, and of what ONNX Runtime computes while it loads a graph.

A run can be stopped between two operators but not inside one, and operators of constants run while a session is made.
Both times are estimated from the shapes of all values before ONNX Runtime reads the graph; a shape that is not known
before a run is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from quorate.core.errors import ModelError
from quorate.models.onnx_graphs.parts import INT64, Node, Value, read_input, read_node, read_tensor
from quorate.models.onnx_graphs.rules import SHAPED, apply
from quorate.models.onnx_graphs.shapes import UnknownShape, require_made
from quorate.models.onnx_graphs.trees import DEEPEST, too_deep
from quorate.models.onnx_graphs.values import kind_of, known
from quorate.models.onnx_graphs.wire import read_fields, read_message, read_text

#: Metadata key of a graph: its fastest batch size, in rows.
BATCH = "quorate.batch"

#: Longest estimated time of an operator, and of all operators of constants of a graph, in ns.
MOST_NS, MOST_FOLDED_NS = 2e9, 2e9

# Rows that are tried: the estimate is close to proportional to them.
_TRIES = 6

_REMEDY = "Export the model with smaller layers, or with sizes that do not depend on the values of a row."


@dataclass(slots=True)
class _Graph:
    """The parts of a graph in the order of the file."""

    nodes: list[Node] = field(default_factory=list)
    inner: dict[int, dict[str, _Graph]] = field(default_factory=dict)
    constants: dict[str, Value] = field(default_factory=dict)
    inputs: list[memoryview] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Times:
    """Estimates of a graph, in ns."""

    longest: float = 0.0
    folded: float = 0.0
    where: str = ""
    folded_where: str = ""

    def add(self, node: Node, took: float, *, constant: bool) -> None:
        if took > self.longest:
            self.longest, self.where = took, node.operator
        if constant:
            self.folded += took
            self.folded_where = node.operator


@dataclass(frozen=True, slots=True)
class GraphSize:
    """Size of a graph and of its runs.

    Attributes:
        nodes: without those of inner graphs.
        rows: that it may run at once, so that each of its operators takes a limited time; at most its own batch size.
    """

    nodes: int
    rows: int


def require_cheap(content: bytes, name: str, rows: int, windows: int) -> GraphSize:
    """Require that no operator takes longer than `MOST_NS`, at least with one row.

    Args:
        content: the serialised model, which `require_bounded` accepts.
        name: of the member, for error messages.
        rows: largest number, for a graph of single rows.
        windows: the same for a graph of windows.

    Raises:
        ModelError: an operator takes too long for a single row, or the operators of constants do together; or the shape
            of a value is not known before a run.
    """
    attempted = f"load {name}"
    try:
        graph = _read(next(read_message(v) for n, v in read_fields(memoryview(content)) if n == 7))
        given = read_input(graph.inputs[0], 1)[1] if graph.inputs else Value(())
        most = int(min(windows if len(given.shape) == 3 else rows, _batch(content)))
        for _ in range(_TRIES):
            times = _times(graph, most, attempted)
            if times.longest <= MOST_NS and times.folded <= MOST_FOLDED_NS:
                return GraphSize(len(graph.nodes), most)
            if most == 1:
                break
            excess = max(times.longest / MOST_NS, times.folded / MOST_FOLDED_NS)
            most = max(1, min(most // 2, int(most / excess)))
        times = _times(graph, 1, attempted)
    except (ValueError, OverflowError) as error:
        raise ModelError(attempted, found=str(error), expected="an ONNX graph") from error
    if times.folded > MOST_FOLDED_NS:
        found = f"operators of constants that take about {times.folded / 1e9:,.0f} s, such as {times.folded_where}"
        raise ModelError(attempted, found=found, expected=f"at most {MOST_FOLDED_NS / 1e9:.0f} s", remedy=_REMEDY)
    if times.longest > MOST_NS:
        found = f"an operator {times.where} that takes about {times.longest / 1e9:,.0f} s for a row"
        raise ModelError(attempted, found=found, expected=f"at most {MOST_NS / 1e9:.0f} s", remedy=_REMEDY)
    return GraphSize(len(graph.nodes), 1)


def _batch(content: bytes) -> float:
    """The batch size in the metadata of a model; infinite without a number of rows there."""
    for number, value in read_fields(memoryview(content)):
        if number == 14:
            entry = {key: read_text(text) for key, text in read_fields(read_message(value))}
            text = entry.get(2, "")
            if entry.get(1) == BATCH and text.isascii() and text.isdigit():
                return max(1.0, float(text))
    return float("inf")


def _read(message: memoryview) -> _Graph:
    graph = _Graph()
    for number, value in read_fields(message):
        if number == 1:
            node = read_node(read_message(value))
            if node.operator.startswith("TreeEnsemble") and too_deep(node):
                raise ValueError(f"a tree of more than {DEEPEST} levels")
            if node.graphs:
                graph.inner[len(graph.nodes)] = {name: _read(inside) for name, inside in node.graphs.items()}
            graph.nodes.append(node)
        elif number == 5:
            name, constant = read_tensor(read_message(value))
            graph.constants[name] = constant
        elif number == 11:
            graph.inputs.append(read_message(value))
        elif number == 12:
            name = next((read_text(v) for n, v in read_fields(read_message(value)) if n == 1), "")
            graph.outputs.append(name)
    return graph


def _times(graph: _Graph, rows: int, attempted: str) -> _Times:
    times = _Times()
    given = dict(read_input(message, rows) for message in graph.inputs)
    _Estimate(times, attempted).run(graph, given)
    return times


class _Estimate:
    """A walk through the nodes of a graph in their order."""

    def __init__(self, times: _Times, attempted: str) -> None:
        self._times = times
        self._attempted = attempted

    def run(self, graph: _Graph, given: Mapping[str, Value]) -> dict[str, Value]:
        """Every value of a graph. Constants hide inputs of the same name: those are defaults."""
        values = {**given, **graph.constants}
        for place, node in enumerate(graph.nodes):
            inputs = [values.get(name) if name else None for name in node.inputs]
            try:
                require_made(node, inputs)
                values.update(self._node(node, inputs, graph.inner.get(place, {}), values))
            except UnknownShape as error:
                found = f"the operator {node.operator[:40]!r} with {error}"
                found = "".join(letter if letter.isprintable() else "?" for letter in found)
                raise ModelError(
                    self._attempted, found=found, expected="sizes known before a run", remedy=_REMEDY
                ) from error
        return values

    def _node(
        self, node: Node, inputs: list[Value | None], inner: Mapping[str, _Graph], values: Mapping[str, Value]
    ) -> dict[str, Value]:
        if node.operator == "If":
            return self._branches(node, inner, values)
        if node.operator == "Scan":
            return self._scan(node, inputs, inner, values)
        if node.operator == "Constant":
            return {name: _constant(node) for name in node.outputs}
        if node.operator == "Shape":
            data = known(node, inputs, [(0,)])
            shape = (0,) if data is None else data.shape
            return {name: Value(shape, INT64, data, True) for name in node.outputs}
        if node.operator not in SHAPED:
            raise UnknownShape("a result whose size depends on the values of a run, or that is not estimated")
        shapes, took = apply(node, inputs)
        constant = all(value is None or value.constant for value in inputs)
        self._times.add(node, took, constant=constant)
        data = known(node, inputs, shapes)
        kind = kind_of(node, inputs)
        made = {}
        for number, (name, shape) in enumerate(zip(node.outputs, shapes, strict=False)):
            if name:
                made[name] = Value(shape, kind, data if number == 0 else None, constant)
        return made

    def _branches(self, node: Node, inner: Mapping[str, _Graph], values: Mapping[str, Value]) -> dict[str, Value]:
        results = []
        for name in ("then_branch", "else_branch"):
            branch = inner.get(name)
            if branch is None:
                raise UnknownShape("no branch")
            found = self.run(branch, values)
            results.append([found.get(output) for output in branch.outputs])
        made = {}
        for name, one, other in zip(node.outputs, *results, strict=False):
            if one is None or other is None or one.shape != other.shape:
                raise UnknownShape("branches whose results differ in shape")
            if name:
                kind = one.kind if one.kind == other.kind else 0
                made[name] = Value(one.shape, kind, None, one.constant and other.constant)
        return made

    def _scan(
        self, node: Node, inputs: list[Value | None], inner: Mapping[str, _Graph], values: Mapping[str, Value]
    ) -> dict[str, Value]:
        body, scanned = inner.get("body"), node.integer("num_scan_inputs")
        if body is None or not 0 < scanned <= len(inputs):
            raise UnknownShape("no body")
        others = {name for name in node.attributes if name.endswith(("axes", "directions"))}
        given = [value for value in inputs if value is not None]
        if others or len(given) != len(inputs) or len(given) != len(body.inputs):
            raise UnknownShape("axes, directions or missing inputs")
        count = len(given) - scanned
        bars = {value.shape[:1] for value in given[count:]}
        if len(bars) != 1 or () in bars:
            raise UnknownShape("inputs of several lengths")
        ((length,),) = bars
        steps = [Value(value.shape, value.kind) for value in given[:count]]
        steps += [Value(value.shape[1:], value.kind) for value in given[count:]]
        names = [read_input(message, 1)[0] for message in body.inputs]
        found = self.run(body, {**values, **dict(zip(names, steps, strict=True))})
        made = {}
        for number, (name, output) in enumerate(zip(node.outputs, body.outputs, strict=False)):
            value = found.get(output)
            if value is None or (number < count and value.shape != steps[number].shape):
                raise UnknownShape("states that change their shape")
            if name:
                shape = value.shape if number < count else (length, *value.shape)
                made[name] = Value(shape, value.kind)
        return made


def _constant(node: Node) -> Value:
    value = node.attributes.get("value")
    if isinstance(value, Value):
        return value
    many = node.integers("value_ints")
    if many is not None or "value_int" in node.attributes:
        data = np.array(node.integer("value_int") if many is None else many, np.int64)
        return Value(data.shape, INT64, data, True)
    if "value_float" in node.attributes:
        return Value((), constant=True)
    raise UnknownShape("a constant of another kind")
