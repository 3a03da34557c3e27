"""8-bit LSTMs: byte products for many windows, the original layers for few, and unsupported graphs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from quorate.core.errors import ModelError
from quorate.core.settings import LSTMSettings, ModelSettings
from quorate.models import build
from quorate.models.quantise import quantise
from quorate.models.runtime import OnnxSession

RANDOM = np.random.default_rng(0)
FEATURES, WINDOW, WIDTH = 5, 8, 32


def recurrent(layers: int = 1, windows: str = "B", **settings: Any) -> onnx.ModelProto:
    """A graph of stacked LSTMs on windows; its output is the newest state of the last."""
    weights = [numpy_helper.from_array(np.array([0]), "first"), numpy_helper.from_array(np.array([1]), "second")]
    nodes, rows, reads = [helper.make_node("Transpose", ["input"], ["bars"], perm=[1, 0, 2])], "bars", FEATURES
    for number in range(layers):
        for name, shape in (("into", (1, 4 * WIDTH, reads)), ("own", (1, 4 * WIDTH, WIDTH)), ("bias", (1, 8 * WIDTH))):
            weights.append(numpy_helper.from_array(RANDOM.normal(0, 0.3, shape).astype(np.float32), f"{name}{number}"))
        inputs = [rows, f"into{number}", f"own{number}", f"bias{number}"]
        outputs = [f"states{number}", f"newest{number}"]
        nodes.append(helper.make_node("LSTM", inputs, outputs, f"lstm{number}", hidden_size=WIDTH, **settings))
        if number + 1 < layers:
            rows, reads = f"rows{number + 1}", WIDTH
            nodes.append(helper.make_node("Squeeze", [outputs[0], "second"], [rows]))
    nodes.append(helper.make_node("Squeeze", [f"newest{layers - 1}", "first"], ["output"]))
    ends = ("input", [windows, WINDOW, FEATURES]), ("output", [windows, WIDTH])
    into, out_of = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in ends)
    graph = helper.make_graph(nodes, "rows", [into], [out_of], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def lstm(model: onnx.ModelProto, number: int = 0) -> Any:
    return next(node for node in model.graph.node if node.name == f"lstm{number}")


def windows(rows: int = 200, features: int = FEATURES, window: int = WINDOW) -> np.ndarray:
    """Heavy-tailed features."""
    return RANDOM.standard_t(3, (rows, window, features)).astype(np.float32)


@pytest.mark.usefixtures("exact_byte_products")
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_error_is_lower_than_that_of_the_runtimes_8_bit_lstm(layers: int, tmp_path) -> None:
    model, X = recurrent(layers), windows()
    plain = bytes(model.SerializeToString())
    quantize_dynamic(
        model,
        tmp_path / "own.onnx",
        op_types_to_quantize=["LSTM"],
        per_channel=True,
        weight_type=QuantType.QInt8,
    )
    exact, runtime, ours = (
        OnnxSession(content, FEATURES, "rows").run(X)
        for content in (plain, (tmp_path / "own.onnx").read_bytes(), quantise(plain, "rows", windows()))
    )
    off = [np.abs(output - exact).mean() for output in (runtime, ours)]
    assert 0 < off[1] < 0.2 * off[0]


@pytest.mark.usefixtures("exact_byte_products")
def test_few_windows_use_the_original_layers() -> None:
    plain = bytes(recurrent(2).SerializeToString())
    full, small = (OnnxSession(content, FEATURES, "rows") for content in (plain, quantise(plain, "rows", windows())))
    X = windows(16)
    np.testing.assert_array_equal(small.run(X[:15]), full.run(X[:15]))
    assert (small.run(X) != full.run(X)).any()
    assert small.run(X[:0]).shape == (0, WIDTH)


@pytest.mark.usefixtures("exact_byte_products")
def test_states_of_1_do_not_overflow() -> None:
    model = recurrent()
    for weight in model.graph.initializer:
        if weight.name == "bias0":  # all gates open and the cell saturated: states approach 1
            weight.CopyFrom(numpy_helper.from_array(np.full((1, 8 * WIDTH), 20, np.float32), "bias0"))
    plain, X = bytes(model.SerializeToString()), windows()
    full, small = (
        OnnxSession(content, FEATURES, "rows").run(X) for content in (plain, quantise(plain, "rows", windows()))
    )
    assert full.min() > 0.99
    np.testing.assert_allclose(small, full, atol=1e-4)


@pytest.mark.usefixtures("exact_byte_products")
def test_recurrent_weights_of_0_are_supported() -> None:
    model = recurrent()
    for weight in model.graph.initializer:
        if weight.name == "own0":
            weight.CopyFrom(numpy_helper.from_array(np.zeros((1, 4 * WIDTH, WIDTH), np.float32), "own0"))
    plain, X = bytes(model.SerializeToString()), windows()
    full, small = (
        OnnxSession(content, FEATURES, "rows").run(X) for content in (plain, quantise(plain, "rows", windows()))
    )
    np.testing.assert_allclose(small, full, atol=1e-6)


@pytest.mark.usefixtures("exact_byte_products")
def test_the_quantised_member_is_deterministic_with_its_own_batch_size() -> None:
    settings = replace(ModelSettings(), lstm=LSTMSettings(window=12, width=32, epochs=1))
    model = build("lstm", "class", settings, seed=1, threads=1)
    X = windows(300, 6, 12)
    model.fit(X[:100], (np.arange(100) % 3).astype(np.int8))
    full = model.to_onnx()
    small = quantise(full, "lstm", X)
    assert small == quantise(full, "lstm", X)
    onnx.checker.check_model(onnx.load_from_string(small))
    before, after = (OnnxSession(content, 6, "lstm") for content in (full, small))
    assert (before.batch, after.batch) == (32, 256)
    assert np.abs(after.run(X) - before.run(X)).max() < 1e-4


@pytest.mark.usefixtures("exact_byte_products")
def test_the_rounding_depends_on_the_given_windows() -> None:
    plain, X = bytes(recurrent(2).SerializeToString()), windows(2_000)
    X[:, :, 1:] = X[:, :, :1]  # equal features
    full = OnnxSession(plain, FEATURES, "rows").run(X[1_000:])
    off = [
        np.abs(OnnxSession(quantise(plain, "rows", given), FEATURES, "rows").run(X[1_000:]) - full).mean()
        for given in (X[:1_000], windows(1_000))
    ]
    assert off[0] < off[1]


@pytest.mark.parametrize("given", [None, windows(0)], ids=["none", "empty"])
def test_missing_windows_are_refused(given: Any) -> None:
    with pytest.raises(ModelError, match="found no windows; expected some of the training rows"):
        quantise(bytes(recurrent().SerializeToString()), "rows", given)


def test_windows_of_one_bar_are_refused() -> None:
    with pytest.raises(ModelError, match="found windows of one bar"):
        quantise(bytes(recurrent().SerializeToString()), "rows", windows(5, window=1))


def test_windows_of_another_shape_are_refused() -> None:
    with pytest.raises(ModelError, match="expected windows of its input shape"):
        quantise(bytes(recurrent().SerializeToString()), "rows", windows(5, features=FEATURES + 1))


def two_on_the_window(model: onnx.ModelProto) -> None:
    lstm(model, 1).input[0] = "bars"
    lstm(model, 1).input[1] = "into0"


def all_states(model: onnx.ModelProto) -> None:
    model.graph.output.append(helper.make_tensor_value_info("states0", TensorProto.FLOAT, None))


def no_newest(model: onnx.ModelProto) -> None:
    del lstm(model).output[1:]


def lengths(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(numpy_helper.from_array(np.array([WINDOW], np.int32), "lengths"))
    lstm(model).input.append("lengths")


def start(model: onnx.ModelProto) -> None:
    given = np.ones((1, 1, WIDTH), np.float32)
    model.graph.initializer.append(numpy_helper.from_array(given, "start"))
    lstm(model).input.extend(["", "start"])


def made_weights(model: onnx.ModelProto) -> None:
    model.graph.node.insert(0, helper.make_node("Neg", ["own0"], ["made"]))
    lstm(model).input[2] = "made"


def backwards(model: onnx.ModelProto) -> None:
    lstm(model).attribute.append(helper.make_attribute("direction", "reverse"))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (two_on_the_window, "LSTMs that are not stacked"),
        (all_states, "pass on more than their newest states"),
        (no_newest, "pass on more than their newest states"),
        (lengths, "not plain"),
        (backwards, "not plain"),
        (start, "initial state other than 0"),
        (made_weights, "not constant"),
    ],
)
def test_unsupported_layers_are_refused(change: Any, found: str) -> None:
    model = recurrent(2)
    change(model)
    with pytest.raises(ModelError, match=found):
        quantise(bytes(model.SerializeToString()), "rows", windows())
