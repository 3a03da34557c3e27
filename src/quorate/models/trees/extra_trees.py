"""Extremely randomised trees: the mean of trees whose splits are drawn at random, each fitted on all rows.

At a node some of the columns are drawn, for each of them one threshold between its smallest and largest value there,
and the best of these splits is made. Classes are fitted as indicators: their squared error is Gini's impurity.

Columns are held within their outer quantiles for the fit, since a threshold drawn between far outliers would divide
nothing. Thresholds lie within these limits, so that the fitted trees need none.

Geurts, Ernst and Wehenkel, Extremely Randomized Trees, 2006.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from quorate.core.errors import MissingExtraError, ModelError
from quorate.core.types import Action, Float32Array, FloatArray
from quorate.core.untrusted_json import MISSHAPEN
from quorate.models.base import FitRequest, Model
from quorate.models.export import steps_to_onnx
from quorate.models.input_checks import Matrix
from quorate.models.model_files import read_file, write_file
from quorate.models.trees.tree_arrays import TreeArrays, tree_step

try:
    import safetensors
    import safetensors.numpy
    from sklearn.ensemble import ExtraTreesRegressor
except ImportError as error:
    raise MissingExtraError(
        "train extra trees", found=str(error), remedy="Run: pip install 'quorate[train]'"
    ) from error

_FORMAT = "quorate-extra-trees-1"

# Calls of the progress callback, at most.
_REPORTS = 10


class ExtraTrees(Model):
    """Extremely randomised trees by scikit-learn, kept as arrays."""

    name: ClassVar[str] = "extra_trees"
    suffix: ClassVar[str] = ".safetensors"
    _fitted: TreeArrays | None = None

    @property
    def columns(self) -> int | None:
        return None if self._fitted is None else int(self._fitted.columns[0])

    def _fit(self, request: FitRequest) -> None:
        X, y, weight = np.asarray(request.X), np.asarray(request.y), request.weight
        if weight is not None:
            used = weight > 0
            X, y, weight = X[used], y[used], weight[used]
        targets = np.eye(len(Action))[y.astype(np.intp)] if self.task == "class" else y.astype(np.float64)[:, None]
        # Returns in units of their size, and columns of about 1: scikit-learn takes small differences for none.
        unit = 1.0 if self.task == "class" else float(np.sqrt((y**2).mean())) or 1.0
        rows, factor = _comparable(X, self.settings.extra_trees.tail)
        forest = self._grow(rows, targets / unit, weight, request)
        self._fitted = _as_arrays([tree.tree_ for tree in forest.estimators_], factor, unit)

    def _grow(self, rows: Float32Array, targets: FloatArray, weight: FloatArray | None, request: FitRequest) -> Any:
        s = self.settings.extra_trees
        forest = ExtraTreesRegressor(
            n_estimators=0,
            max_depth=s.depth,
            min_samples_leaf=max(s.leaf_rows, round(s.leaf_share * len(rows))),
            max_features=float(s.colsample_node),  # a whole number would be one of columns
            random_state=self.seed,
            n_jobs=self.threads or -1,
            warm_start=True,
        )
        targets = targets if targets.shape[1] > 1 else targets[:, 0]
        for done in np.unique(np.linspace(0, s.trees, min(s.trees, _REPORTS) + 1).astype(int))[1:]:
            forest.set_params(n_estimators=int(done)).fit(rows, targets, sample_weight=weight)
            if request.progress is not None:
                request.progress(int(done), s.trees)
        return forest

    def _infer(self, X: Matrix) -> FloatArray:
        return self._require_fitted(self._fitted).sums(np.asarray(X), mean=True)

    def save(self, path: Path) -> None:
        fitted = self._require_fitted(self._fitted)
        write_file(path, safetensors.numpy.save(asdict(fitted), {"format": _FORMAT}))

    def load(self, path: Path) -> Self:
        content = read_file(path)
        try:
            if _FORMAT.encode() not in content[:200]:
                raise ValueError("another format")
            tensors = safetensors.numpy.load(content)
            read = TreeArrays(**{field.name: tensors[field.name] for field in fields(TreeArrays)})
            read.require_consistent()
        except (safetensors.SafetensorError, *MISSHAPEN) as error:
            raise ModelError(f"load {path}", found=repr(error), expected=f"a file of {_FORMAT}") from error
        self._require_outputs(read.value.shape[1], path)
        self._fitted = read
        return self

    def to_onnx(self) -> bytes:
        fitted = self._require_fitted(self._fitted)
        step = tree_step(fitted, "AVERAGE", "output")
        return steps_to_onnx(self.name, [step], {}, int(fitted.columns[0]), fitted.value.shape[1])


def _comparable(X: Float32Array, tail: float) -> tuple[Float32Array, FloatArray]:
    """Columns within their outer quantiles and of about the size 1, and the (F,) powers of two that made them so.

    By powers of two no value is rounded: a threshold on such a column, divided by its factor, divides the rows of X
    alike.
    """
    inner = (np.quantile(X, tail, axis=0, method="higher"), np.quantile(X, 1 - tail, axis=0, method="lower"))
    low, high = np.minimum(*inner), np.maximum(*inner)
    spread = high.astype(np.float64) - low
    factor = np.exp2(-np.round(np.log2(np.where(spread > 0, spread, 1.0))).clip(-100, 100))
    return (np.clip(X, low, high) * factor).astype(np.float32), factor


def _as_arrays(trees: list[Any], factor: FloatArray, unit: float) -> TreeArrays:
    """The trees of scikit-learn, side by side."""
    counts = np.array([tree.node_count for tree in trees])
    roots = np.cumsum(counts) - counts
    start = np.repeat(roots, counts)
    own = np.arange(counts.sum())
    column = np.concatenate([tree.feature for tree in trees])
    leaf = column < 0
    exact = np.where(leaf, 0.0, np.concatenate([tree.threshold for tree in trees]) / factor[column])
    # Features are float32, so a threshold rounded down to float32 sends every row the same way.
    threshold = exact.astype(np.float32)
    threshold = np.where(threshold > exact, np.nextafter(threshold, np.float32(-np.inf)), threshold)
    left, right = (
        np.where(leaf, own, np.concatenate([getattr(tree, f"children_{side}") for tree in trees]) + start)
        for side in ("left", "right")
    )
    value = np.concatenate([tree.value[:, :, 0] for tree in trees]) * unit
    return TreeArrays(
        roots=roots.astype(np.int32),
        column=np.where(leaf, -1, column).astype(np.int32),
        threshold=threshold.astype(np.float32),
        left=left.astype(np.int32),
        right=right.astype(np.int32),
        value=np.where(leaf[:, None], value, 0.0).astype(np.float32),
        columns=np.array([len(factor)], np.int32),
    )
