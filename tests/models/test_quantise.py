"""8-bit graphs: accuracy, which products are quantised, and refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from quorate.core.errors import ModelError
from quorate.core.settings import LSTMSettings, ModelSettings, NHiTSSettings, PatchTSTSettings, TFTSettings
from quorate.models import build
from quorate.models.quantise import NotQuantisable, quantise
from quorate.models.runtime import OnnxSession

RANDOM = np.random.default_rng(0)


def graph(*widths: int, features: int = 5, window: int = 8) -> bytes:
    """A graph of Gemm and ReLU layers on windows."""
    nodes, weights, rows = [helper.make_node("Flatten", ["input"], ["0"])], [], "0"
    width = window * features
    for number, out in enumerate(widths):
        matrix = RANDOM.normal(0, width**-0.5, (out, width)).astype(np.float32)
        weights += [
            numpy_helper.from_array(matrix, f"w{number}"),
            numpy_helper.from_array(np.zeros(out, np.float32), f"b{number}"),
        ]
        product = f"product{number}"
        nodes.append(helper.make_node("Gemm", [rows, f"w{number}", f"b{number}"], [product], f"gemm{number}", transB=1))
        rows, width = f"{number + 1}", out
        nodes.append(helper.make_node("Relu", [product], [rows]))
    nodes[-1].output[0] = "output"
    shapes = ("input", ["B", window, features]), ("output", ["B", width])
    into, out_of = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes)
    layers = helper.make_graph(nodes, "rows", [into], [out_of], weights)
    model = helper.make_model(layers, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    return bytes(model.SerializeToString())


def windows(rows: int = 200, features: int = 5, window: int = 8) -> np.ndarray:
    """Heavy-tailed features."""
    return RANDOM.standard_t(3, (rows, window, features)).astype(np.float32)


def operators(content: bytes) -> list[str]:
    return [node.op_type for node in onnx.load_from_string(content).graph.node]


@pytest.mark.usefixtures("exact_byte_products")
def test_products_of_the_window_have_two_parts(tmp_path) -> None:
    plain, X = graph(32), windows()
    exact = OnnxSession(plain, 5, "plain").run(X)
    quantize_dynamic(onnx.load_from_string(plain), tmp_path / "one.onnx", per_channel=True, weight_type=QuantType.QInt8)
    one, two = (tmp_path / "one.onnx").read_bytes(), quantise(plain, "rows")
    off = [np.abs(OnnxSession(content, 5, "rows").run(X) - exact).mean() for content in (one, two)]
    # The remaining error is the rounding of the weights.
    assert off[1] < 0.35 * off[0]
    assert operators(two).count("MatMulInteger") == 2
    session = OnnxSession(two, 5, "rows")
    assert (session.window, session.features) == (8, 5)


def test_products_of_hidden_units_have_one_part() -> None:
    assert operators(quantise(graph(32, 24, 20), "rows")).count("MatMulInteger") == 2 + 1 + 1


def test_small_products_are_not_quantised() -> None:
    quantised = onnx.load_from_string(quantise(graph(32, 3), "rows"))
    floats = {weight.name for weight in quantised.graph.initializer if weight.data_type == TensorProto.FLOAT}
    assert "w1" in floats
    assert "w0" not in floats
    with pytest.raises(ModelError, match="found no weights to quantise"):
        quantise(graph(3), "rows")
    with pytest.raises(ModelError, match="found no weights to quantise"):
        quantise(graph(32, features=1), "rows")  # 8 inputs


@pytest.mark.usefixtures("exact_byte_products")
def test_a_weight_shared_by_two_products_is_supported() -> None:
    model = onnx.load_from_string(graph(40, 40))  # 8 bars of 5 features: both products are 40 by 40
    for node in model.graph.node:
        if node.name == "gemm1":
            node.input[1] = "w0"
    plain, X = bytes(model.SerializeToString()), windows()
    exact, small = (OnnxSession(content, 5, "rows").run(X) for content in (plain, quantise(plain, "rows")))
    assert np.abs(small - exact).mean() < 0.02 * exact.std()


def test_the_graph_has_no_value_info() -> None:
    assert not onnx.load_from_string(quantise(graph(32), "rows")).graph.value_info


@pytest.mark.parametrize("junk", [b"no graph", bytes(100)], ids=["text", "zeros"])
def test_bytes_that_are_not_a_graph_are_refused(junk: bytes) -> None:
    with pytest.raises(ModelError, match="could not quantise rows"):
        quantise(junk, "rows")


@pytest.mark.usefixtures("exact_byte_products")
@pytest.mark.parametrize("name", ["nhits", "patchtst", "lstm"])
@pytest.mark.parametrize("task", ["class", "return"])
def test_outputs_of_all_networks_are_close_in_8_bits(name: str, task: str) -> None:
    settings = replace(
        ModelSettings(),
        nhits=NHiTSSettings(window=24, hidden=(48, 32, 32), epochs=2),
        patchtst=PatchTSTSettings(window=48, width=32, heads=2, layers=1, feedforward=64, epochs=2),
        lstm=LSTMSettings(window=12, width=32, epochs=2),
    )
    model = build(name, task, settings, seed=1, threads=1)
    X = windows(300, 6, model.window)
    y = (X[:, -1, 0] > 0) * 2 if task == "class" else X[:, -1, 0].astype(np.float64) / 100
    model.fit(X, y.astype(np.int8) if task == "class" else y)
    full = model.to_onnx()
    small = quantise(full, name, X)
    before, after = (OnnxSession(content, 6, name).run(X) for content in (full, small))
    assert after.shape == before.shape
    assert np.abs(after - before).mean() < 0.05 * before.std()
    assert name == "lstm" or len(small) < len(full)  # the graph of an LSTM has both branches


def test_an_lstm_whose_states_are_all_read_has_no_form_in_8_bits() -> None:
    settings = ModelSettings(tft=TFTSettings(window=6, epochs=1, width=4))
    model = build("tft", "class", settings, seed=1, threads=1)
    X = windows(30, window=6)
    with pytest.raises(NotQuantisable, match="LSTMs that pass on more than their newest states"):
        quantise(model.fit(X, (np.arange(30) % 3).astype(np.int8)).to_onnx(), "tft", X)
