"""Trees as arrays: their sums by numpy, and one operator of a graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from quorate.core.types import Float32Array, FloatArray
from quorate.models.export import ML, Step

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

    def sums(self, X: Float32Array, *, mean: bool = False) -> FloatArray:
        """(B, C) float64 sums, or means, over the trees for (B, F) rows."""
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
            found[first : first + step] = self.value[at].sum(axis=1, dtype=np.float64)
        return found / T if mean else found

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


def tree_step(trees: TreeArrays, aggregate: Literal["SUM", "AVERAGE"], makes: str) -> Step:
    """The operator that reads "input", (B, F) float32, and makes the sums or means of the trees, (B, C) float32."""
    N, C = trees.value.shape
    tree = np.searchsorted(trees.roots, np.arange(N), side="right") - 1
    start, leaf = trees.roots[tree], trees.column < 0
    inside, leaves = np.arange(N) - start, np.flatnonzero(leaf)
    attributes = {
        "nodes_treeids": tree,
        "nodes_nodeids": inside,
        "nodes_featureids": np.where(leaf, 0, trees.column),
        "nodes_values": trees.threshold,
        "nodes_truenodeids": np.where(leaf, 0, trees.left - start),
        "nodes_falsenodeids": np.where(leaf, 0, trees.right - start),
        "target_treeids": np.repeat(tree[leaves], C),
        "target_nodeids": np.repeat(inside[leaves], C),
        "target_ids": np.tile(np.arange(C), len(leaves)),
        "target_weights": trees.value[leaves].ravel(),
    }
    lists = {name: values.tolist() for name, values in attributes.items()}
    modes = {"nodes_modes": ["LEAF" if one else "BRANCH_LEQ" for one in leaf.tolist()]}
    options = {"n_targets": C, "aggregate_function": aggregate}
    return Step("TreeEnsembleRegressor", ("input",), makes, {**lists, **modes, **options}, ML)
