"""8-bit quantisation of the LSTM layers of a graph.

Batches of many windows use byte products; for few windows the original layers are kept, which are faster and exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from quorate.core.errors import ModelError
from quorate.core.types import Float32Array
from quorate.models.input_checks import Matrix
from quorate.models.onnx_graphs import BATCH
from quorate.models.quantise.lstm_layers import Layer, newest_states
from quorate.models.quantise.not_quantisable import NotQuantisable
from quorate.models.quantise.writer import Writer
from quorate.models.telemetry import disable_telemetry

# Smallest batch that uses the byte products.
_MANY = 16

# Batch size at which the byte products were measured to be fastest.
_BEST_BATCH = 256


def has_lstm(graph: Any) -> bool:
    """Whether a graph has LSTM layers."""
    return any(node.op_type == "LSTM" for node in graph.node)


def quantise_lstms(model: Any, windows: Matrix | None, name: str) -> None:
    """Add byte products to a model's LSTM layers for batches of many windows, and set its fastest batch size.

    Args:
        model: changed in place.
        windows: (n, L, F) on whose states the rounding of the weights is based.
        name: for error messages.

    Raises:
        ModelError: no windows, or windows of another shape; or layers that are not stacked, do not start at a state of
            0, pass on more than their newest state, or are not plain forward LSTMs.
    """
    from onnx import helper

    graph = model.graph
    replaced = _stacked_lstms(graph, name)
    lstms = [node for node in replaced if node.op_type == "LSTM"]
    weights, rows = [_weights(graph, node, name) for node in lstms], lstms[0].input[0]
    recorded = _states(model, lstms, windows, name)
    layers = [Layer(*arrays, states) for arrays, states in zip(weights, recorded, strict=True)]
    states = [node.output[1] for node in lstms]
    write = Writer("lstm")
    size = write("Gather", write("Shape", rows), write.constant("axis of windows", np.int64(1)))
    few = write("Less", size, write.constant("many", np.int64(_MANY)))
    branches = {"then_branch": _original_branch(replaced, states), "else_branch": _byte_branch(layers, rows)}
    replaced_outputs = _outputs(replaced)
    nodes = []
    for node in graph.node:
        if not replaced_outputs.intersection(node.output):
            nodes.append(node)
        elif node.output == lstms[-1].output:
            nodes += [*write.nodes, helper.make_node("If", [few], states, **branches)]
    del graph.node[:]
    graph.node.extend(nodes)
    graph.initializer.extend(write.constants.values())
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    metadata = {entry.key: entry.value for entry in model.metadata_props} | {BATCH: str(_BEST_BATCH)}
    helper.set_model_props(model, metadata)


def _stacked_lstms(graph: Any, name: str) -> list[Any]:
    """The LSTM nodes from the first, with the Squeeze nodes of the direction axis between them."""
    lstms = [node for node in graph.node if node.op_type == "LSTM"]
    producers = _producers(graph)
    stacked = lstms[:1]
    for lower, upper in pairwise(lstms):
        between = producers.get(upper.input[0])
        if between is None or between.op_type != "Squeeze" or between.input[0] != lower.output[0]:
            raise _unsupported(name, "LSTMs that are not stacked")
        stacked += [between, upper]
    own = _outputs(stacked)
    states = {node.output[1] for node in lstms if len(node.output) > 1}
    elsewhere = {value for node in graph.node if not own.intersection(node.output) for value in node.input}
    elsewhere.update(output.name for output in graph.output)
    if len(states) < len(lstms) or own.intersection(elsewhere) - states:
        raise _unsupported(name, "LSTMs that pass on more than their newest states")
    return stacked


def _weights(graph: Any, node: Any, name: str) -> tuple[Float32Array, Float32Array, Float32Array]:
    """Input weights, recurrent weights and bias of a plain forward LSTM node with initial state 0, as in `Layer`."""
    from onnx import numpy_helper

    weights = {weight.name: weight for weight in graph.initializer}
    _, inputs, recurrent, bias, lengths, state, cell, peepholes = [*node.input, *[""] * 8][:8]
    if lengths or peepholes or {attribute.name for attribute in node.attribute} != {"hidden_size"}:
        raise _unsupported(name, "an LSTM that is not plain")
    if not {inputs, recurrent, bias} - {""} <= set(weights):
        raise _unsupported(name, "an LSTM whose weights are not constant")
    producers = _producers(graph)
    if not all(_is_zero(initial, producers) for initial in (state, cell) if initial):
        raise _unsupported(name, "an LSTM with an initial state other than 0")
    # One direction, transposed.
    W, R = (numpy_helper.to_array(weights[matrix])[0].T for matrix in (inputs, recurrent))
    biases = numpy_helper.to_array(weights[bias])[0] if bias else np.zeros(2 * W.shape[1], np.float32)
    return W, R, biases.reshape(2, -1).sum(axis=0)


def _states(model: Any, lstms: Sequence[Any], windows: Matrix | None, name: str) -> list[Float32Array]:
    """(L, n, width) states of each layer after each bar of n windows, with the unquantised weights."""
    disable_telemetry()
    import onnxruntime
    from onnx import TensorProto, helper
    from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument

    if windows is None or not len(windows):  # ONNX Runtime crashes on an LSTM without rows
        raise ModelError(f"quantise {name}", found="no windows", expected="some of the training rows")
    if windows.shape[1] < 2:
        raise ModelError(f"quantise {name}", found="windows of one bar", expected="at least two bars")
    traced = type(model)()
    traced.CopyFrom(model)
    outputs = []
    for newest in (lstm.output[1] for lstm in lstms):
        (node,) = (node for node in traced.graph.node if newest in node.output)
        node.output[0] = node.output[0] or f"all of {newest}"
        outputs.append(node.output[0])
    traced.graph.output.extend(helper.make_tensor_value_info(state, TensorProto.FLOAT, None) for state in outputs)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(traced.SerializeToString(), options, providers=["CPUExecutionProvider"])
    try:
        found = session.run(outputs, {session.get_inputs()[0].name: windows[:]})
    except InvalidArgument as error:
        raise ModelError(
            f"quantise {name}", found=str(error).splitlines()[0], expected="windows of its input shape"
        ) from error
    return [states[:, 0] for states in found]  # one direction


def _is_zero(name: str, producers: Mapping[str, Any]) -> bool:
    """Whether a value is zeros, or a slice of zeros."""
    from onnx import numpy_helper

    node = producers.get(name)
    while node is not None and node.op_type == "Slice":
        node = producers.get(node.input[0])
    return (
        node is not None
        and node.op_type == "ConstantOfShape"
        and not any(numpy_helper.to_array(attribute.t).any() for attribute in node.attribute)
    )


def _original_branch(nodes: Iterable[Any], states: Sequence[str]) -> Any:
    """The branch for few windows: the original nodes, renamed because names must be unique across nested graphs."""
    from onnx import TensorProto, helper

    renamed: dict[str, str] = {}
    copies = []
    for node in nodes:
        renamed |= {output: f"few: {output}" for output in node.output if output}
        copy = type(node)()
        copy.CopyFrom(node)
        for values in (copy.input, copy.output):
            values[:] = [renamed.get(value, value) for value in values]
        copies.append(copy)
    outputs = [helper.make_tensor_value_info(renamed[state], TensorProto.FLOAT, None) for state in states]
    return helper.make_graph(copies, "few windows", [], outputs)


def _byte_branch(layers: Sequence[Layer], rows: str) -> Any:
    """The branch for many windows: byte products."""
    from onnx import TensorProto, helper

    write = Writer("many")
    axis = write.constant("axis of directions", np.array([0]))
    states = [write("Unsqueeze", state, axis) for state in newest_states(write, layers, rows)]
    outputs = [helper.make_tensor_value_info(state, TensorProto.FLOAT, None) for state in states]
    return helper.make_graph(write.nodes, "many windows", [], outputs, list(write.constants.values()))


def _outputs(nodes: Iterable[Any]) -> set[str]:
    """Named outputs of the nodes; outputs without a name are unused."""
    return {output for node in nodes for output in node.output if output}


def _producers(graph: Any) -> dict[str, Any]:
    """Output name -> the node that produces it."""
    return {output: node for node in graph.node for output in node.output if output}


def _unsupported(name: str, found: str) -> NotQuantisable:
    return NotQuantisable(f"quantise {name}", found=found, expected="layers as the lstm model exports them")
