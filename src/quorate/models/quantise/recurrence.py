"""A graph whose LSTM layers, about to be served in 8 bits, read many windows by products of bytes.

Few windows are read by the layers as they were: those are faster there, and exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from quorate.core.errors import ModelError
from quorate.core.types import Float32Array
from quorate.models.input_checks import Matrix
from quorate.models.quantise.lstm_layers import Layer, newest_states
from quorate.models.quantise.writer import Writer
from quorate.models.runtime import BATCH

# Fewer windows than these are few.
_MANY = 16

# Windows at once at which the products of bytes are fastest; measured.
_BEST_BATCH = 256


def has_recurrence(graph: Any) -> bool:
    """Whether there are LSTM layers in it."""
    return any(node.op_type == "LSTM" for node in graph.node)


def multiply_bytes(model: Any, windows: Matrix | None, name: str) -> None:
    """Let a model's LSTM layers read many windows by products of bytes, and say how many are best.

    Args:
        model: changed in place.
        windows: (n, L, F) whose states the weights are rounded for.
        name: for messages.

    Raises:
        ModelError: no windows, or windows that the model does not read; or its layers do not stand upon each other, do
            not begin at 0, hand on more than their newest state, or are not of the plain kind that reads forwards.
    """
    from onnx import helper

    graph = model.graph
    replaced = _stacked(graph, name)
    lstms = [node for node in replaced if node.op_type == "LSTM"]
    weights, rows = [_weights(graph, node, name) for node in lstms], lstms[0].input[0]
    layers = [Layer(*each, seen) for each, seen in zip(weights, _states(model, lstms, windows, name), strict=True)]
    states = [node.output[1] for node in lstms]
    write = Writer("lstm")
    size = write("Gather", write("Shape", rows), write.constant("axis of windows", np.int64(1)))
    few = write("Less", size, write.constant("many", np.int64(_MANY)))
    branches = {"then_branch": _as_they_were(replaced, states), "else_branch": _by_bytes(layers, rows)}
    made = _outputs(replaced)
    nodes = []
    for node in graph.node:
        if not made.intersection(node.output):
            nodes.append(node)
        elif node.output == lstms[-1].output:
            nodes += [*write.nodes, helper.make_node("If", [few], states, **branches)]
    del graph.node[:]
    graph.node.extend(nodes)
    graph.initializer.extend(write.constants.values())
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    said = {each.key: each.value for each in model.metadata_props} | {BATCH: str(_BEST_BATCH)}
    helper.set_model_props(model, said)


def _stacked(graph: Any, name: str) -> list[Any]:
    """The LSTMs from the lowest, and between each two what drops the axis of directions."""
    lstms = [node for node in graph.node if node.op_type == "LSTM"]
    makers = _makers(graph)
    found = lstms[:1]
    for lower, upper in pairwise(lstms):
        between = makers.get(upper.input[0])
        if between is None or between.op_type != "Squeeze" or between.input[0] != lower.output[0]:
            raise _refused(name, "LSTMs that do not stand upon each other")
        found += [between, upper]
    own = _outputs(found)
    states = {node.output[1] for node in lstms if len(node.output) > 1}
    elsewhere = {read for node in graph.node if not own.intersection(node.output) for read in node.input}
    elsewhere.update(output.name for output in graph.output)
    if len(states) < len(lstms) or own.intersection(elsewhere) - states:
        raise _refused(name, "LSTMs that hand on other than their newest states")
    return found


def _weights(graph: Any, node: Any, name: str) -> tuple[Float32Array, Float32Array, Float32Array]:
    """What a plain LSTM that reads forwards from a state of 0 reads, repeats and adds, as `Layer` has them."""
    from onnx import numpy_helper

    weights = {weight.name: weight for weight in graph.initializer}
    _, reads, repeats, bias, lengths, state, cell, peepholes = [*node.input, *[""] * 8][:8]
    if lengths or peepholes or {attribute.name for attribute in node.attribute} != {"hidden_size"}:
        raise _refused(name, "an LSTM that is not plain")
    if not {reads, repeats, bias} - {""} <= set(weights):
        raise _refused(name, "an LSTM whose weights are not constant")
    makers = _makers(graph)
    if not all(_is_zero(each, makers) for each in (state, cell) if each):
        raise _refused(name, "an LSTM that begins at other than 0")
    # Of the one direction; rows of each gate to columns.
    read, repeated = (numpy_helper.to_array(weights[each])[0].T for each in (reads, repeats))
    both = numpy_helper.to_array(weights[bias])[0] if bias else np.zeros(2 * read.shape[1], np.float32)
    return read, repeated, both.reshape(2, -1).sum(axis=0)


def _states(model: Any, lstms: Sequence[Any], windows: Matrix | None, name: str) -> list[Float32Array]:
    """(L, n, width) states of each layer after each bar of n windows, by its weights as they are."""
    import onnxruntime
    from onnx import TensorProto, helper
    from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument

    if windows is None or not len(windows):  # never asked of the runtime, which an LSTM without rows brings down
        raise ModelError(f"quantise {name}", found="no windows", expected="some of the training rows")
    if windows.shape[1] < 2:
        raise ModelError(f"quantise {name}", found="windows of one bar", expected="two at least: nothing recurs")
    told = type(model)()
    told.CopyFrom(model)
    every = []
    for newest in (lstm.output[1] for lstm in lstms):
        (node,) = (node for node in told.graph.node if newest in node.output)
        node.output[0] = node.output[0] or f"all of {newest}"
        every.append(node.output[0])
    told.graph.output.extend(helper.make_tensor_value_info(state, TensorProto.FLOAT, None) for state in every)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(told.SerializeToString(), options, providers=["CPUExecutionProvider"])
    try:
        found = session.run(every, {session.get_inputs()[0].name: windows[:]})
    except InvalidArgument as error:
        raise ModelError(
            f"quantise {name}", found=str(error).splitlines()[0], expected="windows that it reads"
        ) from error
    return [states[:, 0] for states in found]  # of the one direction


def _is_zero(name: str, makers: Mapping[str, Any]) -> bool:
    """Whether this is zeros, or a part of zeros."""
    from onnx import numpy_helper

    node = makers.get(name)
    while node is not None and node.op_type == "Slice":
        node = makers.get(node.input[0])
    return (
        node is not None
        and node.op_type == "ConstantOfShape"
        and not any(numpy_helper.to_array(attribute.t).any() for attribute in node.attribute)
    )


def _as_they_were(nodes: Iterable[Any], states: Sequence[str]) -> Any:
    """The branch for few windows. Names within it are its own: a graph knows those around it."""
    from onnx import TensorProto, helper

    renamed: dict[str, str] = {}
    inside = []
    for node in nodes:
        renamed |= {output: f"few: {output}" for output in node.output if output}
        copy = type(node)()
        copy.CopyFrom(node)
        for ends in (copy.input, copy.output):
            ends[:] = [renamed.get(each, each) for each in ends]
        inside.append(copy)
    outputs = [helper.make_tensor_value_info(renamed[state], TensorProto.FLOAT, None) for state in states]
    return helper.make_graph(inside, "few windows", [], outputs)


def _by_bytes(layers: Sequence[Layer], rows: str) -> Any:
    """The branch for many windows."""
    from onnx import TensorProto, helper

    write = Writer("many")
    axis = write.constant("axis of directions", np.array([0]))
    states = [write("Unsqueeze", state, axis) for state in newest_states(write, layers, rows)]
    outputs = [helper.make_tensor_value_info(state, TensorProto.FLOAT, None) for state in states]
    return helper.make_graph(write.nodes, "many windows", [], outputs, list(write.constants.values()))


def _outputs(nodes: Iterable[Any]) -> set[str]:
    """Those that are named: nobody reads the others."""
    return {output for node in nodes for output in node.output if output}


def _makers(graph: Any) -> dict[str, Any]:
    return {output: node for node in graph.node for output in node.output if output}


def _refused(name: str, found: str) -> ModelError:
    return ModelError(f"quantise {name}", found=found, expected="layers as `LSTM` exports them")
