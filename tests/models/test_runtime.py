"""ONNX sessions of small graphs: windows, batches and invalid graphs."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from quorate.core.errors import ModelError
from quorate.features import Windows
from quorate.models.onnx_graphs import BATCH
from quorate.models.runtime import OnnxSession


def graph(shape=(None, 4, 2), batch=None, kind=TensorProto.FLOAT, op="ReduceMean"):
    """A graph of three columns: the mean of each window, the number of rows of the run, and the mean again."""
    steps = [
        helper.make_node("Shape", ["input"], ["rows"], start=0, end=1),
        helper.make_node("Cast", ["rows"], ["count"], to=TensorProto.FLOAT),
        helper.make_node(op, ["input"], ["mean"], keepdims=0, axes=list(range(1, len(shape)))),
        helper.make_node("Unsqueeze", ["mean", "one"], ["column"]),
        helper.make_node("Mul", ["column", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "count"], ["counts"]),
        helper.make_node("Concat", ["column", "counts", "column"], ["output"], axis=1),
    ]
    means = helper.make_graph(
        steps,
        "means",
        [helper.make_tensor_value_info("input", kind, list(shape))],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [None, 3])],
        [
            helper.make_tensor("one", TensorProto.INT64, [1], [1]),
            helper.make_tensor("zero", TensorProto.FLOAT, [1], [0.0]),
        ],
    )
    model = helper.make_model(means, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if batch is not None:
        helper.set_model_props(model, {BATCH: batch})
    return model.SerializeToString()


def windows(rows):
    X = np.random.default_rng(0).normal(size=(rows + 3, 2)).astype(np.float32)
    return Windows(X, 60_000 * np.arange(len(X)), 4, "1m").at(np.arange(3, len(X)))


@pytest.mark.parametrize(
    ("batch", "rows", "counts"),
    [(None, 10, [10] * 10), ("4", 10, [4] * 8 + [2] * 2), ("4", 8, [4] * 8), ("64", 10, [10] * 10), ("1", 3, [1] * 3)],
)
def test_givenrun_in_batches_of_the_size_in_the_metadata(batch, rows, counts):
    session = OnnxSession(graph(batch=batch), 2, "it")
    assert (session.window, session.batch) == (4, None if batch is None else int(batch))
    X = windows(rows)
    for given in (X, X[:]):
        found = session.run(given)
        np.testing.assert_allclose(found[:, 0], X[:].mean(axis=(1, 2)), atol=1e-6)
        assert found[:, 1].tolist() == counts


def test_givenare_copied_in_pieces_without_a_batch_size():
    counts = OnnxSession(graph(), 2, "it").run(windows(2500))[:, 1]
    assert sorted(set(counts.tolist())) == [452, 1024]


def test_no_rows_give_no_scores():
    for batch in (None, "4"):
        assert OnnxSession(graph(batch=batch), 2, "it").run(np.zeros((0, 4, 2), np.float32)).shape == (0, 3)


def test_a_graph_of_rows_reads_one_bar():
    session = OnnxSession(graph((None, 2)), 2, "it")
    assert (session.window, session.batch) == (1, None)
    assert session.run(np.ones((5, 2), np.float32))[:, 1].tolist() == [5.0] * 5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (graph((None, 4, 3)), "3 inputs; expected 2 features"),
        (graph(kind=TensorProto.DOUBLE, op="ReduceMean"), "expected"),
        (graph((None, "L", 2)), "expected (B, F) or (B, L, F)"),
        (graph((None, 4, 4, 2)), "expected (B, F) or (B, L, F)"),
        (graph(batch="0"), "quorate.batch = '0'; expected a number of rows"),
        (graph(batch="many"), "quorate.batch = 'many'"),
        (graph(batch="-4"), "quorate.batch = '-4'"),
        (graph(batch="²"), "quorate.batch"),
        (b"", "expected an ONNX graph"),
        (graph()[:200], "expected an ONNX graph"),
        (graph(op="NoSuchOperator"), "the operator 'NoSuchOperator', not among those that are run"),
    ],
)
def test_an_invalid_graph_is_refused(content, message):
    with pytest.raises(ModelError, match="could not load it") as caught:
        OnnxSession(content, 2, "it")
    assert message in str(caught.value)


def test_a_graph_with_an_output_of_unknown_shape_is_refused():
    steps = [helper.make_node("Shape", ["input"], ["shape"])]
    steps.append(helper.make_node("Reshape", ["input", "shape"], ["output"]))
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 2]) for name in ("input", "output")]
    ends[1].type.tensor_type.ClearField("shape")
    means = helper.make_graph(steps, "indices", ends[:1], ends[1:])
    model = helper.make_model(means, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    with pytest.raises(ModelError, match=r"expected \(B, C\), C fixed"):
        OnnxSession(model.SerializeToString(), 2, "it")


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((2, 3, 2), np.float32), "windows of 3 bars; expected 4 bars"),
        (np.zeros((2, 4, 3), np.float32), "3 columns; expected 2"),
        (np.zeros((2, 4, 2)), "float64; expected float32"),
        (np.zeros((4, 2), np.float32), "(4, 2); expected X (B, L, F)"),
        (np.full((2, 4, 2), np.nan, np.float32), "NaN or infinity in row 0"),
    ],
)
def test_invalid_givenare_refused(X, message):
    with pytest.raises(ModelError) as caught:
        OnnxSession(graph(batch="4"), 2, "it").run(X)
    assert message in str(caught.value)
