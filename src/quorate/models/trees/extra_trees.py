"""Extremely randomised trees: the mean of trees whose splits are drawn at random, each fitted on all rows.

At a node some of the columns are drawn, for each of them one threshold between its smallest and largest value there,
and the best of these splits is made. Classes are fitted as indicators: their squared error is Gini's impurity.

Columns are held within their outer quantiles for the fit, since a threshold drawn between far outliers would divide
nothing. Thresholds lie within these limits, so that the fitted trees need none.

Geurts, Ernst and Wehenkel, Extremely Randomized Trees, 2006.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from quorate.core.errors import MissingExtraError, ModelError
from quorate.core.types import Action, Float32Array, FloatArray
from quorate.core.untrusted_json import MISSHAPEN
from quorate.models.base import FitRequest, Model
from quorate.models.export import ML, Step, steps_to_onnx
from quorate.models.input_checks import Matrix
from quorate.models.model_files import read_file, write_file

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

# Values of rows times trees that are looked up at once.
_PIECE = 1_000_000

Int32Array = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class TreeArrays:
    """The N nodes of T trees, tree by tree, each node before its children; a row goes left up to the threshold.

    Attributes:
        roots: (T,) int32, the first node of each tree.
        column: (N,) int32 that a node compares; -1 in a leaf.
        threshold: (N,) float32; 0 in a leaf.
        left, right: (N,) int32 children; the node itself in a leaf.
        value: (N, C) float32 class shares or mean return of a leaf; 0 elsewhere.
        columns: (1,) int32, F.
    """

    roots: Int32Array
    column: Int32Array
    threshold: Float32Array
    left: Int32Array
    right: Int32Array
    value: Float32Array
    columns: Int32Array

    def output(self, X: Float32Array) -> FloatArray:
        """(B, C) means over the trees."""
        B, T = len(X), len(self.roots)
        found = np.empty((B, self.value.shape[1]))
        step = max(1, _PIECE // T)
        for first in range(0, B, step):
            rows = X[first : first + step]
            place, at = np.arange(len(rows))[:, None], np.tile(self.roots, (len(rows), 1))
            while True:
                below = rows[place, self.column[at]] <= self.threshold[at]
                further = np.where(below, self.left[at], self.right[at])
                if np.array_equal(further, at):
                    break
                at = further
            found[first : first + step] = self.value[at].mean(axis=1, dtype=np.float64)
        return found

    def require_consistent(self) -> None:
        """Raise ValueError for arrays that do not describe trees."""
        N = len(self.column)
        whole = dict.fromkeys(("column", "left", "right"), (N,))
        kinds = dict.fromkeys(("roots", "columns", *whole), np.int32) | dict.fromkeys(
            ("threshold", "value"), np.float32
        )
        shapes = {"threshold": (N,), "columns": (1,), **whole}
        if any(getattr(self, name).dtype != kind for name, kind in kinds.items()):
            raise ValueError("arrays of other types")
        if self.value.ndim != 2 or self.roots.ndim != 1 or len(self.value) != N:
            raise ValueError(f"values of {self.value.shape} for {N} nodes")
        if any(getattr(self, name).shape != shape for name, shape in shapes.items()):
            raise ValueError(f"arrays of other lengths than {N} nodes")
        if not (np.isfinite(self.value).all() and np.isfinite(self.threshold).all()):
            raise ValueError("values that are not finite")
        leaf, own = self.column < 0, np.arange(N)
        children = np.concatenate([self.left[~leaf], self.right[~leaf]])
        # Every node has one parent before it, or is a root: no cycle.
        if not (children > np.tile(own[~leaf], 2)).all():
            raise ValueError("nodes before their parents")
        if not N or not np.array_equal(np.sort(np.concatenate([self.roots, children])), own):
            raise ValueError("nodes that form no trees")
        if not ((self.left == own) & (self.right == own))[leaf].all() or self.column.max() >= self.columns[0]:
            raise ValueError(f"leaves with children, or splits on columns beyond {self.columns[0]}")


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
        return self._require_fitted(self._fitted).output(np.asarray(X))

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
        N, C = fitted.value.shape
        tree = np.searchsorted(fitted.roots, np.arange(N), side="right") - 1
        inside, leaf = np.arange(N) - fitted.roots[tree], fitted.column < 0
        leaves = np.flatnonzero(leaf)
        attributes = {
            "nodes_treeids": tree,
            "nodes_nodeids": inside,
            "nodes_featureids": np.where(leaf, 0, fitted.column),
            "nodes_values": fitted.threshold,
            "nodes_truenodeids": np.where(leaf, 0, fitted.left - fitted.roots[tree]),
            "nodes_falsenodeids": np.where(leaf, 0, fitted.right - fitted.roots[tree]),
            "target_treeids": np.repeat(tree[leaves], C),
            "target_nodeids": np.repeat(inside[leaves], C),
            "target_ids": np.tile(np.arange(C), len(leaves)),
            "target_weights": fitted.value[leaves].ravel(),
        }
        lists = {name: values.tolist() for name, values in attributes.items()}
        modes = {"nodes_modes": ["LEAF" if one else "BRANCH_LEQ" for one in leaf.tolist()]}
        options = {"n_targets": C, "aggregate_function": "AVERAGE"}
        step = Step("TreeEnsembleRegressor", ("input",), "output", {**lists, **modes, **options}, ML)
        return steps_to_onnx(self.name, [step], {}, int(fitted.columns[0]), C)


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
