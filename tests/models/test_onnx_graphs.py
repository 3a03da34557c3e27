"""Graphs of unknown origin: what is refused before ONNX Runtime reads it, and what fails without harm when it runs."""

import resource
import threading
import time

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from quorate.core.errors import ModelError
from quorate.models import onnx_graphs
from quorate.models.onnx_graphs import TREES, require_bounded
from quorate.models.onnx_graphs.wire import read_fields
from quorate.models.runtime import OnnxSession

ROWS = np.ones((4, 2), np.float32)


def ends(inputs=1, kind=TensorProto.FLOAT, columns=3):
    names = ["input", *[f"input{n}" for n in range(1, inputs)]]
    return (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 2]) for name in names],
        [helper.make_tensor_value_info("output", kind, [None, columns])],
    )


def node(operator, inputs, outputs, **attributes):
    return helper.make_node(operator, inputs, outputs, **attributes)


def constant(name, values, kind=TensorProto.INT64):
    return helper.make_tensor(name, kind, [len(values)], values)


def model(nodes, constants=(), opsets=(("", 17),), **options):
    graph = helper.make_graph(nodes, "g", *ends(**options), list(constants))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid(*one) for one in opsets], ir_version=8)


MEAN = node("ReduceMean", ["input"], ["mean"], axes=[1], keepdims=1)
JOIN = node("Concat", ["mean", "mean", "mean"], ["output"], axis=1)


def sound():
    return model([MEAN, JOIN])


def scaled(constants, *nodes):
    """The mean of each row times the sum of what `nodes` make, which is named "made"."""
    ends = [
        node("ReduceSum", ["made"], ["sum"], keepdims=0),
        node("Mul", ["mean", "sum"], ["product"]),
        node("Concat", ["product"] * 3, ["output"], axis=1),
    ]
    return model([*nodes, MEAN, *ends], constants)


def external():
    tensor = helper.make_tensor("weights", TensorProto.FLOAT, [2], [0.0, 0.0])
    tensor.ClearField("float_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="secret.bin")
    return tensor


def branches(inside):
    """A graph with an If whose branches hold the nodes `inside`, which make "out"."""

    def branch(name):
        output = [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)]
        return helper.make_graph(inside, name, [], output)

    chosen = node("If", ["yes"], ["made"], then_branch=branch("then"), else_branch=branch("else"))
    return scaled([helper.make_tensor("yes", TensorProto.BOOL, [], [True])], chosen)


def changed(change):
    made = sound()
    change(made)
    return made


def looped():
    body = helper.make_graph(
        [node("Identity", ["on"], ["still"]), node("Identity", ["x"], ["out"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("still", TensorProto.BOOL, []),
            helper.make_tensor_value_info("out", TensorProto.FLOAT, None),
        ],
    )
    return scaled(
        [helper.make_tensor("yes", TensorProto.BOOL, [], [True])],
        node("Loop", ["", "yes", "input"], ["made"], body=body),
    )


def a_function(made):
    made.functions.append(
        helper.make_function("own", "F", ["x"], ["y"], [node("Abs", ["x"], ["y"])], [helper.make_opsetid("", 17)])
    )


def sparse(made):
    values = helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])
    made.graph.sparse_initializer.append(helper.make_sparse_tensor(values, constant("i", [0]), [4]))


def many(what, count):
    def change(made):
        for number in range(count):
            if what == "nodes":
                made.graph.node.append(node("Abs", ["input"], [f"n{number}"]))
            elif what == "constants":
                made.graph.initializer.append(constant(f"c{number}", [1]))
            else:
                made.graph.input.append(helper.make_tensor_value_info(f"x{number}", TensorProto.FLOAT, [None, 2]))

    return changed(change)


def deep(levels):
    inside = [node("Constant", [], ["out"], value=helper.make_tensor("v", TensorProto.FLOAT, [1], [1.0]))]
    for _ in range(levels):
        graph = helper.make_graph(inside, "g", [], [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)])
        inside = [node("If", ["yes"], ["out"], then_branch=graph, else_branch=graph)]
    return branches(inside)


REFUSED = {
    "external initializer": (lambda: changed(lambda m: m.graph.initializer.append(external())), "in another file"),
    "external constant": (lambda: scaled((), node("Constant", [], ["made"], value=external())), "in another file"),
    "external in a branch": (lambda: branches([node("Constant", [], ["out"], value=external())]), "in another file"),
    "local function": (lambda: changed(a_function), "a local function"),
    "training": (lambda: changed(lambda m: m.training_info.add()), "training information"),
    "sparse": (lambda: changed(sparse), "a sparse constant"),
    "custom domain": (
        lambda: model(
            [node("Own", ["input"], ["output"], domain="evil\x1b[2J")], opsets=[("", 17), ("evil\x1b[2J", 1)]
        ),
        r"domain 'evil\x1b[2J'",
    ),
    "loop for ever": (looped, "'Loop', a loop of unknown length"),
    "random numbers": (lambda: scaled((), node("RandomNormal", [], ["made"], shape=[2])), "'RandomNormal'"),
    "texts": (lambda: model([node("StringNormalizer", ["input"], ["output"])]), "'StringNormalizer'"),
    "nodes": (lambda: many("nodes", 10_001), "more than 10,000 nodes"),
    "constants": (lambda: many("constants", 10_001), "more than 10,000 constants"),
    "thousands of inputs": (lambda: many("inputs", 2_000), "more than 1,000 inputs"),
    "two inputs": (lambda: many("inputs", 1), "2 inputs of the graph"),
    "deep": (lambda: deep(5), "graphs inside graphs"),
    "whole numbers": (
        lambda: model([MEAN, JOIN, node("Cast", ["output"], ["whole"], to=TensorProto.INT64)], kind=TensorProto.INT64),
        "expected",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_graph_outside_the_limits_is_refused_in_printable_words(what):
    make, words = REFUSED[what]
    with pytest.raises(ModelError, match="could not load it") as caught:
        OnnxSession(make().SerializeToString(), 2, "it")
    assert words in str(caught.value)
    assert str(caught.value).isprintable()


def test_external_data_is_refused_where_the_file_exists(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.bin").write_bytes(np.ones(2, np.float32).tobytes())
    made = changed(lambda m: m.graph.initializer.append(external()))
    with pytest.raises(ModelError, match="in another file"):
        OnnxSession(made.SerializeToString(), 2, "it")


def test_a_graph_of_too_many_bytes_is_refused(monkeypatch):
    monkeypatch.setattr(onnx_graphs.limits, "MAX_BYTES", 100)
    with pytest.raises(ModelError, match="expected an ONNX graph of at most 100"):
        OnnxSession(sound().SerializeToString(), 2, "it")


def test_a_forest_may_have_trees_only():
    with pytest.raises(ModelError, match="the operator 'ReduceMean'"):
        require_bounded(sound().SerializeToString(), "stack", TREES)


HUGE = 10**12

# Each makes the tensor "made", of a size that no memory holds.
LARGE = {
    "ConstantOfShape": ([constant("n", [HUGE])], [node("ConstantOfShape", ["n"], ["made"])]),
    "Expand": ([constant("n", [HUGE // 8, 4, 2])], [node("Expand", ["input", "n"], ["made"])]),
    "Tile": ([constant("n", [HUGE // 8, 1])], [node("Tile", ["input", "n"], ["made"])]),
    "an outer product": (
        [constant("n", [10**6, 1]), constant("m", [1, 10**6])],
        [
            node("ConstantOfShape", ["n"], ["column"]),
            node("ConstantOfShape", ["m"], ["row"]),
            node("MatMul", ["column", "row"], ["made"]),
        ],
    ),
    "doubling": (
        [],
        [
            node("Identity", ["input"], ["d0"]),
            *[node("Concat", [f"d{n}", f"d{n}"], [f"d{n + 1}"], axis=0) for n in range(36)],
            node("Identity", ["d36"], ["made"]),
        ],
    ),
}


@pytest.mark.parametrize("what", LARGE)
def test_a_huge_intermediate_result_is_refused_without_the_memory(what):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    constants, nodes = LARGE[what]
    with pytest.raises(ModelError, match=r"could not load it: found .*operator") as caught:
        OnnxSession(scaled(constants, *nodes).SerializeToString(), 2, "it")
    assert str(caught.value).isprintable()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**20, "KiB"


def test_results_that_exceed_the_memory_together_fail_without_it():
    """40 results of 80 MB each, which are read again from the last to the first; the limit is 2 GiB."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    nodes = [
        node("ReduceMean", ["input"], ["start"], axes=[1], keepdims=1),
        node("Expand", ["start", "n"], ["r0"]),
        *[node("Sin", [f"r{n}"], [f"r{n + 1}"]) for n in range(40)],
        node("Cos", ["r40"], ["s40"]),
        *[node("Add", [f"s{n + 1}", f"r{n}"], [f"s{n}"]) for n in range(39, -1, -1)],
        node("Identity", ["s0"], ["made"]),
    ]
    made = scaled([constant("n", [1, 20_000_000])], *nodes)
    session = OnnxSession(made.SerializeToString(), 2, "it")
    with pytest.raises(ModelError, match="predict with it"):
        session.run(ROWS[:1])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 3 * 2**20, "KiB: the limit is 2 GiB"
    assert OnnxSession(sound().SerializeToString(), 2, "it").run(ROWS).tolist() == [[1.0] * 3] * 4


def test_a_long_run_is_stopped_between_operators():
    """A Scan over 10 million steps takes minutes; `stop` ends it at the next step."""
    body = helper.make_graph(
        [node("Add", ["sum", "step"], ["next"]), node("Identity", ["step"], ["seen"])],
        "body",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, []) for name in ("sum", "step")],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, []) for name in ("next", "seen")],
    )
    made = scaled(
        [constant("n", [10_000_000]), helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0])],
        node("ConstantOfShape", ["n"], ["steps"]),
        node("Scan", ["zero", "steps"], ["made", "all"], body=body, num_scan_inputs=1),
    )
    session, errors = OnnxSession(made.SerializeToString(), 2, "it"), []

    def run():
        try:
            session.run(ROWS)
        except ModelError as error:
            errors.append(str(error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    time.sleep(0.3)
    session.stop(older_than_s=60)
    assert not errors
    session.stop()
    thread.join(20)
    assert not thread.is_alive()
    assert "when it was stopped" in errors[0]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_mutated_graph_is_accepted_or_refused(data):
    content = bytearray(deep(2).SerializeToString())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        require_bounded(bytes(content[: data.draw(st.integers(0, len(content)))]), "it")
    except ModelError:
        return


def test_long_lists_of_an_attribute_are_skipped():
    """Elements of an attribute that holds a tensor after 30,000 numbers and texts."""
    attribute = onnx.AttributeProto(
        name="a", ints=[-1, 0, 300] * 5_000, floats=[1.5] * 10_000, strings=[b"LEAF"] * 5_000
    )
    attribute.tensors.append(constant("t", [7]))
    found = list(read_fields(memoryview(attribute.SerializeToString()), attribute=True))
    assert [number for number, _ in found] == [1, 10]
    assert len(list(read_fields(memoryview(attribute.SerializeToString())))) == 30_002
