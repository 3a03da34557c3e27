"""Nearest centroid classifier: a minimal model of your own as a package.

With one standard deviation per feature, shared by all classes, the squared distances of a row to the class means differ
by a linear function of the row, so the softmax of

    log(share of the class) + mean . x - mean . mean / 2        (x and the means standardised)

is the posterior under normal classes (linear discriminant analysis with a diagonal covariance; Hastie, Tibshirani and
Friedman, The Elements of Statistical Learning, 2009, 4.3). For returns the classes are the thirds of the training
returns, and the prediction is the mean of their mean returns, weighted by the posterior.

Means may be shrunk towards the mean of all rows (nearest shrunken centroids; Tibshirani et al., PNAS 99 (2002),
6567-6572): a feature whose class means all lie within `shrink` standard deviations of it has no influence.

Once the package is installed, `quorate train --models xgboost,lightgbm,centroid` finds it by its entry point, and
quorate.toml has a section for it:

    [models.centroid]
    shrink = 0.05
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from quorate.core.errors import ModelError
from quorate.core.sections.section import require
from quorate.models import FitRequest, Model

ARRAYS = ("mean", "scale", "weights", "intercept", "returns")


@dataclass(frozen=True)
class CentroidSettings:
    """The section `[models.centroid]` of quorate.toml."""

    shrink: float = 0.0  # standard deviations by which the class means move towards the mean of all rows

    def __post_init__(self) -> None:
        require("models.centroid", "shrink", self.shrink, 0, 10)


class Centroid(Model):
    """Softmax of the distances to three class means."""

    name = "centroid"
    suffix = ".json"
    _fitted: dict[str, np.ndarray] | None = None

    @property
    def columns(self) -> int | None:
        return None if self._fitted is None else len(self._fitted["mean"])

    def _fit(self, request: FitRequest) -> None:
        X, y, weight = np.asarray(request.X), request.y, request.weight
        weight = np.ones(len(y)) if weight is None else weight
        group = y if self.task == "class" else np.digitize(y, np.quantile(y, [1 / 3, 2 / 3]))
        rows = X.astype(np.float64)
        mean = np.average(rows, axis=0, weights=weight)
        scale = np.sqrt(np.average((rows - mean) ** 2, axis=0, weights=weight))
        scale[scale == 0] = 1.0
        rows = (rows - mean) / scale
        shrink = self.settings.section(self.name).shrink
        weights, intercept, returns = np.zeros((X.shape[1], 3)), np.full(3, -50.0), np.zeros(3)
        for number in range(3):
            own = (group == number) & (weight > 0)
            # A group without rows keeps its column, with a score close to 0.
            if own.any():
                centre = np.average(rows[own], axis=0, weights=weight[own])
                centre = np.sign(centre) * np.maximum(np.abs(centre) - shrink, 0)
                weights[:, number] = centre
                intercept[number] = np.log(weight[own].sum() / weight.sum()) - centre @ centre / 2
                returns[number] = np.average(y[own], weights=weight[own])
        self._fitted = dict(zip(ARRAYS, (mean, scale, weights, intercept, returns), strict=True))
        if request.progress is not None:
            request.progress(1, 1)

    def _infer(self, X: Any) -> Any:
        f = self._require_fitted(self._fitted)
        sums = (X - f["mean"]) / f["scale"] @ f["weights"] + f["intercept"]
        exponentials = np.exp(sums - sums.max(axis=1, keepdims=True))
        scores = exponentials / exponentials.sum(axis=1, keepdims=True)
        return scores if self.task == "class" else scores @ f["returns"]

    def save(self, path: Path) -> None:
        fitted = self._require_fitted(self._fitted)
        tree = {"task": self.task, **{name: fitted[name].tolist() for name in ARRAYS}}
        path.write_text(json.dumps(tree), encoding="utf-8")

    def load(self, path: Path) -> Centroid:
        try:
            tree = json.loads(path.read_text(encoding="utf-8"))
            arrays = {name: np.array(tree[name], dtype=np.float64) for name in ARRAYS}
            task = tree["task"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"load {path}", found=repr(error), expected="a centroid file") from error
        if task != self.task:
            raise ModelError(f"load {path}", found=f'the task "{task}"', expected=f'"{self.task}"')
        self._fitted = arrays
        return self

    def to_onnx(self) -> bytes:
        f = self._require_fitted(self._fitted)
        node = helper.make_node
        steps = [
            node("Cast", ["input"], ["double"], to=TensorProto.DOUBLE),
            node("Sub", ["double", "mean"], ["centred"]),
            node("Div", ["centred", "scale"], ["standardised"]),
            node("MatMul", ["standardised", "weights"], ["products"]),
            node("Add", ["products", "intercept"], ["sums"]),
            node("Softmax", ["sums"], ["scores"], axis=1),
        ]
        constants = {name: f[name] for name in ARRAYS[:-1]}
        if self.task == "return":
            constants["returns"] = f["returns"][:, None]
            steps.append(node("MatMul", ["scores", "returns"], ["expected"]))
        steps.append(node("Cast", [steps[-1].output[0]], ["output"], to=TensorProto.FLOAT))
        graph = helper.make_graph(
            steps,
            self.name,
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, [None, self.columns])],
            [helper.make_tensor_value_info("output", TensorProto.FLOAT, [None, 3 if self.task == "class" else 1])],
            [numpy_helper.from_array(array, name) for name, array in constants.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
        return bytes(model.SerializeToString())
