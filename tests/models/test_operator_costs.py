"""Operators and constants that take too long: refused before ONNX Runtime reads the graph, and quick where accepted."""

import io
import time
import warnings
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper, numpy_helper

from quorate.core.errors import ModelError
from quorate.core.settings import ModelSettings
from quorate.models import build
from quorate.models.onnx_graphs import BATCH, costs, require_bounded, require_cheap
from quorate.models.onnx_graphs.operators import OPERATORS
from quorate.models.onnx_graphs.parts import read_input
from quorate.models.onnx_graphs.rules import SHAPED
from quorate.models.onnx_graphs.wire import read_fields
from quorate.models.quantise import quantise
from quorate.models.runtime import OnnxSession

FEATURES = 5
# The last one has no form in 8 bits.
NETWORKS = ("nhits", "patchtst", "lstm", "dlinear", "gru", "tcn", "inception", "minirocket", "tide", "tft")
FLOAT, DOUBLE, INT64 = 1, 11, 7
node = helper.make_node


def constant(name, values):
    return numpy_helper.from_array(np.asarray(values), name)


def graph(nodes, constants=(), rows="B"):
    """(B, 3) of the mean of each row of two columns times the largest element of what `nodes` make, named "made"."""
    ends = [
        node("Cast", ["made"], ["numbers"], to=FLOAT),
        node("ReduceMax", ["numbers"], ["largest"], keepdims=0),
        node("ReduceMean", ["input"], ["mean"], axes=[1], keepdims=1),
        node("Mul", ["mean", "largest"], ["product"]),
        node("Concat", ["product"] * 3, ["output"], axis=1),
    ]
    into, out_of = (helper.make_tensor_value_info(*end) for end in (("input", 1, [rows, 2]), ("output", 1, [rows, 3])))
    made = helper.make_graph([*nodes, *ends], "g", [into], [out_of], list(constants))
    opsets = [helper.make_opsetid(*one) for one in (("", 17), ("ai.onnx.ml", 3))]
    return helper.make_model(made, opset_imports=opsets, ir_version=8).SerializeToString()


def given_of(shape, kind=FLOAT):
    """Nodes and constants of "given": a tensor that depends on the input, so that it is not computed while loading."""
    nodes = [
        node("ReduceMax", ["input"], ["one"], keepdims=0),
        node("Cast", ["one"], ["typed"], to=kind),
        node("Expand", ["typed", "shape"], ["given"]),
    ]
    return nodes, [constant("shape", np.array(shape))]


def applied(operator, shape, kind=FLOAT, more=(), twice=False, **attributes):
    nodes, constants = given_of(shape, kind)
    inputs = ["given", *(["given"] if twice else []), *(one.name for one in more)]
    return graph([*nodes, node(operator, inputs, ["made"], **attributes)], [*constants, *more])


def convolved(length, kernel, channels=1):
    weights = constant("weights", np.ones((channels, channels, kernel), np.float32))
    return applied("Conv", [1, channels, length + kernel], more=[weights])


def recurrent(operator, gates, bars, width):
    weights = [constant(name, np.ones((1, gates * width, n), np.float32)) for name, n in (("W", 2), ("R", width))]
    return applied(operator, [bars, 1, 2], more=weights, hidden_size=width)


def of_constants(operator, shape, times=1, twice=False, more=()):
    """An operator of constants alone, which ONNX Runtime runs while it loads the graph."""
    nodes = [node("ConstantOfShape", ["shape"], ["c0"])]
    for n in range(times):
        inputs = [f"c{n}", *([f"c{n}"] if twice else []), *(one.name for one in more)]
        nodes.append(node(operator, inputs, [f"c{n + 1}"]))
    nodes.append(node("Identity", [f"c{times}"], ["made"]))
    return graph(nodes, [constant("shape", np.array(shape)), *more])


def sorted_numbers(count):
    nodes, constants = given_of([count])
    return graph([*nodes, node("TopK", ["given", "k"], ["made", "places"])], [*constants, constant("k", [count])])


def tree(levels):
    """A tree that is a chain: each node has a leaf and the next node."""
    inner, count = list(range(levels)), 2 * levels
    modes = ["BRANCH_LEQ"] * levels + ["LEAF"] * levels
    attributes = {
        "nodes_treeids": [0] * count,
        "nodes_nodeids": list(range(count)),
        "nodes_featureids": [0] * count,
        "nodes_modes": modes,
        "nodes_values": [5.0] * count,
        "nodes_truenodeids": [min(n + 1, levels) for n in inner] + [0] * levels,
        "nodes_falsenodeids": [levels + n for n in inner] + [0] * levels,
        "target_treeids": [0],
        "target_nodeids": [levels],
        "target_ids": [0],
        "target_weights": [1.0],
    }
    name = "TreeEnsembleRegressor"
    return graph([node(name, ["input"], ["made"], domain="ai.onnx.ml", n_targets=1, **attributes)])


LONG_KERNEL = constant("weights", np.ones((1, 1, 500_000), np.float32))
REFUSED = {
    # It ran for 36 s, which nothing can stop.
    "a convolution": (lambda: convolved(500_000, 500_000), "an operator Conv that takes about"),
    "a product": (lambda: applied("MatMul", [9_000, 9_000], twice=True), "an operator MatMul"),
    "whole numbers": (lambda: applied("MatMul", [2_000, 2_000], INT64, twice=True), "an operator MatMul"),
    "an equation": (lambda: applied("Einsum", [600] * 3, twice=True, equation="abc,cba->b"), "an operator Einsum"),
    "a recurrence": (lambda: recurrent("LSTM", 4, 2_000_000, 16), "an operator LSTM"),
    "pooling": (lambda: applied("AveragePool", [1, 1, 10**6], kernel_shape=[10**5]), "an operator AveragePool"),
    "powers": (lambda: applied("LpPool", [1, 1, 10], kernel_shape=[2]), "the operator 'LpPool', not among those"),
    "without elements": (lambda: applied("Softmax", [10**12, 0]), "an operator "),
    "a product of constants": (lambda: of_constants("MatMul", [9_000] * 2, twice=True), "operators of constants"),
    "a convolution of constants": (
        lambda: of_constants("Conv", [1, 1, 10**6], more=[LONG_KERNEL]),
        "operators of constants that take about",
    ),
    "many of constants": (lambda: of_constants("Sin", [2_000_000], times=60), "operators of constants"),
    "a size from the values": (
        lambda: applied("ConstantOfShape", [1], INT64),
        "'ConstantOfShape' with a length that depends on the values of a run",
    ),
    # ONNX Runtime crashes on it.
    "a deep tree": (lambda: tree(30_000), "a tree of more than 500 levels"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_takes_too_long_is_refused_at_once(what):
    make, words = REFUSED[what]
    content, began = make(), time.monotonic()
    with pytest.raises(ModelError, match="could not load it") as caught:
        OnnxSession(content, 2, "it")
    assert time.monotonic() - began < 1
    assert words in str(caught.value)


WORST = {
    "Sin": lambda n: applied("Sin", [n], DOUBLE),
    "Softplus": lambda n: applied("Softplus", [n]),
    "Div": lambda n: applied("Div", [n], INT64, twice=True),
    "MatMul": lambda n: applied("MatMul", [n, n], twice=True),
    "MatMul of whole numbers": lambda n: applied("MatMul", [n, n], INT64, twice=True),
    "Einsum": lambda n: applied("Einsum", [n] * 3, twice=True, equation="abc,cba->b"),
    "Conv of a long kernel": lambda n: convolved(n, 100_000),
    "Conv of many channels": lambda n: convolved(n, 3, 256),
    "AveragePool": lambda n: applied("AveragePool", [1, 1, n + 1_000], kernel_shape=[1_000]),
    "LSTM": lambda n: recurrent("LSTM", 4, n, 128),
    "GRU": lambda n: recurrent("GRU", 3, n, 1),
    "TopK": sorted_numbers,
    "Transpose": lambda n: applied("Transpose", [n, 7, 7, 7], DOUBLE, perm=[3, 1, 2, 0]),
    "MatMul of constants": lambda n: of_constants("MatMul", [n, n], twice=True),
    "Sin of constants": lambda n: of_constants("Sin", [n], times=60),
}


def accepted(content):
    try:
        require_bounded(content, "it")
        require_cheap(content, "it", 1, 1)
    except ModelError:
        return False
    return True


@pytest.mark.integration
@pytest.mark.parametrize("what", WORST)
def test_the_largest_accepted_graph_loads_and_runs_in_seconds(what):
    make, low, high = WORST[what], 1, 10**9
    while high > 1.02 * low + 1:
        middle = round((low * high) ** 0.5) if high > 4 * low else (low + high) // 2
        low, high = (middle, high) if accepted(make(middle)) else (low, middle)
    began = time.process_time()
    session = OnnxSession(make(low), 2, "it")
    loaded = time.process_time()
    session.run(np.ones((1, 2), np.float32))
    assert loaded - began < 3
    assert time.process_time() - loaded < 3


@pytest.mark.integration
def test_a_graph_of_many_nodes_loads_in_seconds():
    """A plan of the memory of 5,000 results took 20 s, where nothing says that they have the same number of rows."""
    nodes = [node("Add", [f"n{n}" if n else "input", "input"], [f"n{n + 1}"]) for n in range(5_000)]
    began = time.process_time()
    OnnxSession(graph([*nodes, node("Identity", ["n5000"], ["made"])], rows=None), 2, "it")
    assert time.process_time() - began < 3


def test_a_costly_row_runs_in_small_batches():
    """An operator of 1,000 x 200 elements a row, on 3,000 rows."""
    nodes = [
        node("ReduceMean", ["input"], ["start"], axes=[1], keepdims=1),
        node("MatMul", ["start", "wide"], ["a"]),
        node("ReduceSum", ["a", "axis"], ["sums"]),
        node("Concat", ["sums"] * 3, ["output"], axis=1),
    ]
    into, out_of = (helper.make_tensor_value_info(*end) for end in (("input", 1, ["B", 2]), ("output", 1, ["B", 3])))
    weights = [constant("wide", np.ones((1, 200_000), np.float32)), constant("axis", np.array([1]))]
    made = helper.make_graph(nodes, "g", [into], [out_of], weights)
    content = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    assert 100 < require_cheap(content, "it", 65_536, 1_024).rows < 1_000
    rows = np.arange(6_000, dtype=np.float32).reshape(3_000, 2)
    np.testing.assert_allclose(OnnxSession(content, 2, "it").run(rows)[:, 0], 200_000 * rows.mean(axis=1), rtol=1e-3)


@pytest.mark.integration
@pytest.mark.parametrize("make", [lambda: torch.nn.TransformerEncoderLayer(5, 1, 8, batch_first=True), torch.nn.Tanh])
def test_sizes_computed_from_the_shape_of_the_input_are_known(make):
    """An exporter of torch writes the lengths of heads as arithmetic on shapes."""
    layers, written = torch.nn.Sequential(make(), torch.nn.Flatten(), torch.nn.Linear(30, 3)), io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            layers.eval(),
            (torch.zeros(2, 6, 5),),
            written,
            dynamo=False,
            input_names=["input"],
            dynamic_axes={"input": {0: "B"}},
            opset_version=18,
        )
    windows = np.random.default_rng(0).normal(size=(7, 6, 5)).astype(np.float32)
    expected = layers(torch.from_numpy(windows)).detach().numpy()
    np.testing.assert_allclose(OnnxSession(written.getvalue(), 5, "it").run(windows), expected, atol=1e-5)


def test_every_operator_that_is_run_has_a_rule():
    assert frozenset().union(*OPERATORS.values()) == SHAPED


@pytest.mark.integration
@pytest.mark.parametrize(("name", "bits"), [(name, 32) for name in NETWORKS] + [(name, 8) for name in NETWORKS[:-1]])
def test_estimated_shapes_are_those_of_the_runtime(name, bits):
    sections = ModelSettings()
    sections = replace(sections, **{name: replace(getattr(sections, name), epochs=1)})
    member = build(name, "class", sections, seed=1, threads=1)
    X = np.random.default_rng(0).normal(size=(32, member.window, FEATURES)).astype(np.float32)
    content = member.fit(X, (np.arange(32) % 3).astype(np.int8)).to_onnx()
    content = content if bits == 32 else quantise(content, name, X)
    model = onnx.load_from_string(content)
    (batch,) = (int(entry.value) for entry in model.metadata_props if entry.key == BATCH)
    assert require_cheap(content, name, 65_536, 1_024).rows == batch
    read = costs._read(next(value for number, value in read_fields(memoryview(content)) if number == 7))
    inputs = dict(read_input(message, len(X)) for message in read.inputs)
    values = costs._Estimate(costs._Times(), name).run(read, inputs)
    made = [output for one in model.graph.node for output in one.output if output and one.op_type != "Constant"]
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=output) for output in made)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    found = session.run(made, {"input": X})
    assert {output: values[output].shape for output in made} == {
        output: result.shape for output, result in zip(made, found, strict=True)
    }


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_mutated_graph_is_estimated_or_refused(data):
    kinds = (convolved(10, 3), recurrent("LSTM", 4, 5, 2), applied("Transpose", [1, 2, 3], perm=[2, 0, 1]), tree(600))
    content = bytearray(data.draw(st.sampled_from(kinds)))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    accepted(bytes(content))
