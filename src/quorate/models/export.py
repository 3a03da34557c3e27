"""Export of tree boosters to ONNX, so that serving needs neither XGBoost nor LightGBM."""

from __future__ import annotations

import warnings
from typing import Any, Literal

from quorate.core.errors import MissingExtraError

# The first opset with the current form of the machine-learning operators; every recent runtime supports it.
OPSET = 15


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
