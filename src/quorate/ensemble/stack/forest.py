"""Random forest as a combiner: fitted with scikit-learn, run from its ONNX graph. Breiman, Random Forests (2001)."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from quorate.core.errors import MissingExtraError
from quorate.core.settings import StackSettings
from quorate.core.types import FloatArray
from quorate.ensemble.stack.combiner import Forest
from quorate.models.export import OPSET, content
from quorate.models.runtime import OnnxSession, require_same


def fit_forest(predicted: FloatArray, y: FloatArray, settings: StackSettings, seed: int) -> Forest:
    """Fit a random forest; shallow trees with large leaves suit the few inputs and their low signal.

    Args:
        predicted: (n, m) predictions of the members, fractions.
        y: (n,) actual returns.
        settings: number of trees, depth, least rows of a leaf.
        seed: of the random samples of rows.

    Returns:
        The combiner. Its graph is checked against the forest on the rows of the fit.

    Raises:
        MissingExtraError: scikit-learn or skl2onnx is not installed.
        ModelError: the outputs of the graph and the forest differ.
    """
    try:
        import skl2onnx
        from skl2onnx.common.data_types import FloatTensorType
        from sklearn.ensemble import RandomForestRegressor
    except ImportError as error:
        raise MissingExtraError(
            "fit the forest of a stack", found=str(error), remedy="Run: pip install 'quorate[train]'"
        ) from error

    unit = float(np.sqrt((y**2).mean())) or 1.0
    # Scaled to unit size, so that the graph's single precision has the same relative error for any returns.
    rows = (predicted / unit).astype(np.float32)
    forest = RandomForestRegressor(
        n_estimators=settings.forest_trees,
        max_depth=settings.forest_depth,
        min_samples_leaf=settings.forest_leaf,
        max_features=1,
        random_state=seed,
        n_jobs=1,
    ).fit(rows, y / unit)
    inputs = [("input", FloatTensorType([None, rows.shape[1]]))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", (DeprecationWarning, FutureWarning, UserWarning))
        # A fixed name: the default is random, and the bundle's id is a hash of its content.
        exported: Any = skl2onnx.to_onnx(forest, initial_types=inputs, target_opset=OPSET, name="stack")
    graph = content(exported)
    session = OnnxSession(graph, rows.shape[1], "stack")
    require_same(forest.predict(rows)[:, None], session.run(rows), "the forest of the stack")
    return Forest(session, unit, graph)
