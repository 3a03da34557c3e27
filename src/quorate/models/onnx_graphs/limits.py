"""Limits of the graphs that are run: self-contained, of known operators, and of limited size.

A graph in a bundle may come from anywhere. These checks are made once, before ONNX Runtime reads the graph. Memory and
time of a run are limited in `models/runtime.py`.
"""

from __future__ import annotations

from collections import Counter

from quorate.core.errors import ModelError
from quorate.models.onnx_graphs.operators import CONTROL_FLOW, DOMAINS, OPERATORS
from quorate.models.onnx_graphs.wire import read_fields, read_message, read_text

#: Largest size of a serialised graph; those of the own networks have 1 to 20 MiB.
MAX_BYTES = 512 * 2**20

# Counts over a graph and all its inner graphs. The own graphs have up to about 300 nodes.
_MOST = {"nodes": 10_000, "constants": 10_000, "inputs": 1_000, "outputs": 1_000}

# Graphs inside graphs: branches of an If, the body of a Scan.
_DEEPEST = 4

# Numbers of fields, from onnx.proto of ONNX 1.17.
_MODEL_GRAPH, _MODEL_TRAINING, _MODEL_FUNCTION = 7, 20, 25
_NODE, _INITIALIZER, _SPARSE_INITIALIZER, _INPUT, _OUTPUT = 1, 5, 15, 11, 12
_NODE_OPERATOR, _NODE_ATTRIBUTE, _NODE_DOMAIN = 4, 5, 7
_ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPH, _ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS = 5, 6, 10, 11
_ATTRIBUTE_SPARSE = (22, 23)
_TENSOR_EXTERNAL_DATA, _TENSOR_LOCATION = 13, 14
_EXTERNAL = 1


def require_bounded(graph: bytes, name: str, operators: frozenset[str] | None = None) -> None:
    """Require a graph without data in other files, functions or training information, of known operators, and of
    limited size.

    Args:
        graph: the serialised ONNX model.
        name: of the member, for error messages.
        operators: the only ones that it may have; None for all of inference.

    Raises:
        ModelError: names what the graph has; or bytes that are not a serialised model.
    """
    attempted = f"load {name}"
    if len(graph) > MAX_BYTES:
        raise ModelError(
            attempted, found=f"a graph of {len(graph):,} bytes", expected=f"an ONNX graph of at most {MAX_BYTES:,}"
        )
    try:
        _Walk(attempted, operators).model(memoryview(graph))
    except ValueError as error:
        raise ModelError(attempted, found=str(error), expected="an ONNX graph") from error


class _Walk:
    """A walk through a serialised model."""

    def __init__(self, attempted: str, operators: frozenset[str] | None) -> None:
        self._attempted = attempted
        self._only = operators
        self._counts: Counter[str] = Counter()

    def model(self, message: memoryview) -> None:
        graphs = 0
        for number, value in read_fields(message):
            if number == _MODEL_GRAPH:
                self._graph(read_message(value), 0)
                graphs += 1
            elif number == _MODEL_FUNCTION:
                raise self._refused("a local function", "operators of ONNX only")
            elif number == _MODEL_TRAINING:
                raise self._refused("training information", "a graph for inference only")
        if graphs != 1:
            raise ValueError(f"{graphs} graphs")

    def _graph(self, message: memoryview, depth: int) -> None:
        if depth > _DEEPEST:
            raise self._refused("graphs inside graphs", f"at most {_DEEPEST} levels")
        for number, value in read_fields(message):
            if number == _NODE:
                self._count("nodes")
                self._node(read_message(value), depth)
            elif number == _INITIALIZER:
                self._count("constants")
                self._tensor(read_message(value))
            elif number == _SPARSE_INITIALIZER:
                raise self._refused("a sparse constant", "dense constants")
            elif number == _INPUT:
                self._count("inputs")
            elif number == _OUTPUT:
                self._count("outputs")

    def _node(self, message: memoryview, depth: int) -> None:
        operator = domain = ""
        attributes = []
        for number, value in read_fields(message):
            if number == _NODE_OPERATOR:
                operator = read_text(value)
            elif number == _NODE_DOMAIN:
                domain = read_text(value)
            elif number == _NODE_ATTRIBUTE:
                attributes.append(read_message(value))
        self._operator(operator, domain)
        for attribute in attributes:
            self._attribute(attribute, depth)

    def _operator(self, operator: str, domain: str) -> None:
        if domain not in DOMAINS:
            raise self._refused(
                f"the operator {operator[:40]!r} of the domain {domain[:40]!r}", "operators of ONNX only"
            )
        known = OPERATORS[DOMAINS[domain]] if self._only is None else self._only
        if operator not in known:
            what = "a loop of unknown length" if operator in CONTROL_FLOW else "not among those that are run"
            raise self._refused(
                f"the operator {operator[:40]!r}, {what}", f"one of {len(known)} operators of inference"
            )

    def _attribute(self, message: memoryview, depth: int) -> None:
        for number, value in read_fields(message, attribute=True):
            if number in (_ATTRIBUTE_TENSOR, _ATTRIBUTE_TENSORS):
                self._count("constants")
                self._tensor(read_message(value))
            elif number in (_ATTRIBUTE_GRAPH, _ATTRIBUTE_GRAPHS):
                self._graph(read_message(value), depth + 1)
            elif number in _ATTRIBUTE_SPARSE:
                raise self._refused("a sparse constant", "dense constants")

    def _tensor(self, message: memoryview) -> None:
        for number, value in read_fields(message):
            if number == _TENSOR_EXTERNAL_DATA or (number == _TENSOR_LOCATION and value == _EXTERNAL):
                raise self._refused("a constant whose data is in another file", "a graph that holds all its constants")

    def _count(self, what: str) -> None:
        self._counts[what] += 1
        if self._counts[what] > _MOST[what]:
            raise self._refused(f"more than {_MOST[what]:,} {what}", "a graph of the size of a member's")

    def _refused(self, found: str, expected: str) -> ModelError:
        return ModelError(self._attempted, found=found, expected=expected)
