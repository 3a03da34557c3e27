"""Export to ONNX, so that serving needs no training library: boosted trees, and graphs of plain arithmetic."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from quorate.core.errors import MissingExtraError, ModelError

# The first opset with the current form of the machine-learning operators; every recent runtime supports it.
OPSET = 15

# The IR version of that opset's release; a newer one would exclude older runtimes.
_IR_VERSION = 8

#: Domain of the machine-learning operators, and the version of that operator set in the release of `OPSET`.
ML, _ML_OPSET = "ai.onnx.ml", 2

# Element types of tensors: onnx.TensorProto.FLOAT and DOUBLE.
FLOAT, DOUBLE = 1, 11


class Step(NamedTuple):
    """One node of a graph: an operator, what it reads, the value that it makes, its attributes and its domain."""

    operator: str
    reads: tuple[str, ...]
    makes: str
    attributes: Mapping[str, Any] = {}
    domain: str = ""


def import_onnx(attempted: str) -> Any:
    """The package onnx, which only training needs.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import onnx
    except ImportError as error:
        raise MissingExtraError(attempted, found=str(error), remedy="Run: pip install 'quorate[train]'") from error
    return onnx


def parse_graph(graph: bytes, attempted: str) -> Any:
    """A serialised graph as an onnx.ModelProto.

    Raises:
        ModelError: bytes that are not a graph.
        MissingExtraError: onnx is not installed.
    """
    onnx = import_onnx(attempted)
    from google.protobuf.message import DecodeError  # installed with onnx

    try:
        return onnx.load_from_string(graph)
    except DecodeError as error:
        raise ModelError(attempted, found=str(error), expected="an ONNX graph") from error


def steps_to_onnx(
    name: str, steps: Sequence[Step], constants: Mapping[str, npt.NDArray[Any]], features: int, outputs: int
) -> bytes:
    """A graph of arithmetic.

    Args:
        name: of the model.
        steps: in order; the first reads "input", (B, F) float32, and the last makes (B, C) float32.
        constants: name -> value.
        features: F.
        outputs: C.

    Raises:
        MissingExtraError: onnx is not installed.
    """
    onnx = import_onnx(f"export {name}")
    helper = onnx.helper
    graph = helper.make_graph(
        [
            helper.make_node(step.operator, list(step.reads), [step.makes], domain=step.domain, **step.attributes)
            for step in steps
        ],
        name,
        [helper.make_tensor_value_info("input", FLOAT, [None, features])],
        [helper.make_tensor_value_info(steps[-1].makes, FLOAT, [None, outputs])],
        [onnx.numpy_helper.from_array(np.ascontiguousarray(array), key) for key, array in constants.items()],
    )
    versions = {"": OPSET, ML: _ML_OPSET}
    sets = [helper.make_opsetid(domain, versions[domain]) for domain in sorted({"", *(s.domain for s in steps)})]
    model = helper.make_model(graph, opset_imports=sets, ir_version=_IR_VERSION)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def trees_to_onnx(library: Literal["xgboost", "lightgbm"], booster: Any, features: int) -> bytes:
    """A booster as an ONNX graph.

    Args:
        library: that fitted the booster.
        booster: the fitted booster.
        features: F, the number of input columns.

    Returns:
        The serialised graph: input (B, F) float32; last output (B, 3) scores or (B, 1) returns.

    Raises:
        MissingExtraError: onnxmltools is not installed.
    """
    try:
        import onnxmltools
        from onnxmltools.convert.common.data_types import FloatTensorType
    except ImportError as error:
        raise MissingExtraError(
            f"export {library}", found=str(error), remedy="Run: pip install 'quorate[train]'"
        ) from error

    inputs = [("input", FloatTensorType([None, features]))]
    # A fixed name: the default is random, and the bundle's id is a digest of the files.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", (DeprecationWarning, FutureWarning, UserWarning))
        if library == "xgboost":
            graph = onnxmltools.convert_xgboost(booster, name=library, initial_types=inputs, target_opset=OPSET)
        else:
            graph = onnxmltools.convert_lightgbm(
                booster, name=library, initial_types=inputs, target_opset=OPSET, zipmap=False
            )
    return content(graph)


def content(model: Any) -> bytes:
    """An ONNX model as deterministic bytes.

    Converters list the operator sets in hash order, which differs between processes; a bundle's id is a digest of the
    files, so they are sorted here.
    """
    sets = sorted(model.opset_import, key=lambda opset: (opset.domain, opset.version))
    del model.opset_import[:]
    model.opset_import.extend(sets)
    return bytes(model.SerializeToString(deterministic=True))
