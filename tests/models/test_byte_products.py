"""The check of the processor's sums of byte products, before an 8-bit graph is loaded."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from quorate.core.errors import ModelError
from quorate.models import byte_products
from quorate.models.quantise import quantise
from quorate.models.runtime import OnnxSession


def graph() -> bytes:
    """A graph of one product: windows of 8 bars and 4 features by a matrix of 32 columns."""
    matrix = np.random.default_rng(0).normal(size=(32, 32)).astype(np.float32)
    nodes = [
        helper.make_node("Flatten", ["input"], ["rows"]),
        helper.make_node("MatMul", ["rows", "matrix"], ["output"], "product"),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("input", ["B", 8, 4]), ("output", ["B", 32]))
    ]
    graph = helper.make_graph(nodes, "rows", ends[:1], ends[1:], [numpy_helper.from_array(matrix, "matrix")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    return bytes(model.SerializeToString())


def test_the_serialised_graph_is_one_product_of_bytes() -> None:
    model = onnx.load_from_string(byte_products._PRODUCT)
    onnx.checker.check_model(model, full_check=True)
    assert [(node.op_type, list(node.input)) for node in model.graph.node] == [("MatMulInteger", ["x", "w"])]
    types = [end.type.tensor_type.elem_type for end in (*model.graph.input, *model.graph.output)]
    assert types == [TensorProto.UINT8, TensorProto.INT8, TensorProto.INT32]


@pytest.mark.usefixtures("exact_byte_products")
def test_the_processor_is_checked_once_per_process(monkeypatch: pytest.MonkeyPatch) -> None:
    byte_products._sum_of_largest.cache_clear()
    assert byte_products._sum_of_largest() == 64 * 255 * 127
    monkeypatch.setattr("onnxruntime.InferenceSession", None)
    byte_products.require_exact("serve")


def test_a_processor_with_16_bit_sums_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = graph()
    small = quantise(plain, "nhits")
    monkeypatch.setattr(byte_products, "_sum_of_largest", lambda: 32 * 32_767)
    with pytest.raises(ModelError, match=r"could not load nhits: found a processor .*1,048,544.*float32"):
        OnnxSession(small, 4, "nhits")
    OnnxSession(plain, 4, "nhits")
