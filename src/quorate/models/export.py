"""Trees to ONNX, so that serving needs neither XGBoost nor LightGBM."""

from __future__ import annotations

import warnings
from typing import Any, Literal

from quorate.core.errors import MissingExtraError

# The first opset of the machine-learning operators' present form; every runtime of recent years knows it.
OPSET = 15


def trees_to_onnx(library: Literal["xgboost", "lightgbm"], booster: Any, features: int) -> bytes:
    """A booster as an ONNX graph.

    Args:
        library: whose booster it is.
        booster: the fitted booster.
        features: F, the width of its input.

    Returns:
        The serialised graph: input (B, F) float32; last output (B, 3) scores or (B, 1) returns.
    """
    try:
        import onnxmltools
        from onnxmltools.convert.common.data_types import FloatTensorType
    except ImportError as error:
        raise MissingExtraError(
            f"export {library}", found=str(error), remedy="Run: pip install 'quorate[train]'"
        ) from error

    inputs = [("input", FloatTensorType([None, features]))]
    # A name of our own: the default is random, and the bundle's id is its content.
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
    """An ONNX model as bytes, the same ones each time: converters list the operator sets as their hashes fall, which
    differ from process to process, and a bundle's id is its content.
    """
    sets = sorted(model.opset_import, key=lambda each: (each.domain, each.version))
    del model.opset_import[:]
    model.opset_import.extend(sets)
    return bytes(model.SerializeToString(deterministic=True))
