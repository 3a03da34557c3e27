"""The trees of native files of XGBoost and LightGBM, read without the libraries.

A graph that serves a member has its splits, but not how many training rows passed them; the native file beside it has.
Only splits on numbers are read, which are all that the members make.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from quorate.core.errors import ModelError
from quorate.core.types import FloatArray, IntArray
from quorate.models.native_trees.tree import Tree, TreeEnsemble
from quorate.models.native_trees.ubjson import parse_ubjson

_NODES = 2_000_000  # of all trees
_SHAPES = (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, UnicodeDecodeError)


def read_trees(content: bytes, model: str) -> TreeEnsemble:
    """The trees of a member's native file.

    Args:
        content: of the file.
        model: name of the member: one of `READERS`.

    Raises:
        ModelError: another model, or a file without such trees.
    """
    attempted = f"read the trees of {model}"
    if model not in READERS:
        raise ModelError(attempted, found="another kind of model", expected=" or ".join(READERS))
    try:
        ensemble = READERS[model](content)
        for tree in ensemble.trees:
            _require_valid(tree, ensemble)
    except _SHAPES as error:
        raise ModelError(attempted, found=f"an unreadable file ({error})", expected="the file as published") from error
    return ensemble


def _xgboost(content: bytes) -> TreeEnsemble:
    learner = parse_ubjson(content)["learner"]
    parameters, model = learner["learner_model_param"], learner["gradient_booster"]["model"]
    outputs = max(1, int(parameters["num_class"]))
    base = np.array([float(text) for text in parameters["base_score"].strip("[]").split(",")])
    trees = [_xgboost_tree(tree, int(output)) for tree, output in zip(model["trees"], model["tree_info"], strict=True)]
    return TreeEnsemble(tuple(trees), int(parameters["num_feature"]), np.broadcast_to(base, outputs).copy())


def _xgboost_tree(tree: Mapping[str, Any], output: int) -> Tree:
    left, right = (np.asarray(tree[f"{side}_children"], np.int64) for side in ("left", "right"))
    if np.any(np.asarray(tree["split_type"], np.int64)):
        raise ValueError("splits by categories")
    conditions = np.asarray(tree["split_conditions"], np.float64)
    leaf = left < 0
    return Tree(
        left=left,
        right=right,
        column=np.asarray(tree["split_indices"], np.int64),
        threshold=conditions,
        value=conditions,
        cover=np.asarray(tree["sum_hessian"], np.float64),
        gain=np.where(leaf, 0.0, np.asarray(tree["loss_changes"], np.float64)),
        output=output,
    )


def _lightgbm(content: bytes) -> TreeEnsemble:
    head, *blocks = content.decode("utf-8").partition("\nend of trees")[0].split("\nTree=")
    fields = _fields(head)
    outputs = int(fields["num_tree_per_iteration"])
    trees = [_lightgbm_tree(_fields(block), number % outputs) for number, block in enumerate(blocks)]
    # The mean is part of the first trees.
    return TreeEnsemble(tuple(trees), int(fields["max_feature_idx"]) + 1, np.zeros(outputs))


def _lightgbm_tree(fields: Mapping[str, str], output: int) -> Tree:
    leaves = int(fields["num_leaves"])
    if int(fields["num_cat"]):
        raise ValueError("splits by categories")
    splits = leaves - 1

    def numbers(name: str, count: int) -> FloatArray:
        found = np.array(fields.get(name, "").split(), np.float64) if count else np.zeros(0)
        if found.shape != (count,):
            raise ValueError(f"{found.size} values of {name} instead of {count}")
        return found

    def children(name: str) -> IntArray:
        found = numbers(name, splits).astype(np.int64)
        # Leaf i is written as -1 - i; here leaves follow the splits.
        return np.concatenate([np.where(found < 0, splits - 1 - found, found), np.full(leaves, -1)])

    nothing = np.zeros(leaves)
    counts = numbers("leaf_count", leaves) if splits else np.ones(1)
    # A row goes left up to and including the threshold.
    thresholds = np.nextafter(numbers("threshold", splits), np.inf)
    return Tree(
        left=children("left_child"),
        right=children("right_child"),
        column=np.concatenate([numbers("split_feature", splits), nothing]).astype(np.int64),
        threshold=np.concatenate([thresholds, nothing]),
        value=np.concatenate([np.zeros(splits), numbers("leaf_value", leaves)]),
        cover=np.concatenate([numbers("internal_count", splits), counts]),
        gain=np.concatenate([numbers("split_gain", splits), nothing]),
        output=output,
    )


def _fields(block: str) -> dict[str, str]:
    lines: Iterator[str] = (line for line in block.splitlines() if "=" in line)
    return dict(line.split("=", 1) for line in lines)


#: Member -> reader of its native file.
READERS: Mapping[str, Callable[[bytes], TreeEnsemble]] = {"xgboost": _xgboost, "lightgbm": _lightgbm}


def _require_valid(tree: Tree, ensemble: TreeEnsemble) -> None:
    """Require nodes that form a tree, and numbers that can be computed with."""
    n = len(tree.left)
    arrays = (tree.right, tree.column, tree.threshold, tree.value, tree.cover, tree.gain)
    if not 1 <= n <= _NODES or any(array.shape != (n,) for array in (tree.left, *arrays)):
        raise ValueError(f"a tree of {n} nodes with {[array.shape for array in arrays]} attributes")
    leaf = tree.left < 0
    children = np.concatenate([tree.left[~leaf], tree.right[~leaf]])
    # Every node but the root has one parent, which comes before it or reaches it from the root: no cycle.
    if not np.array_equal(np.sort(children), np.arange(1, n)):
        raise ValueError("nodes that form no tree")
    columns = tree.column[~leaf]
    if len(columns) and not 0 <= columns.min() <= columns.max() < ensemble.columns:
        raise ValueError(f"a split on column {columns.max()} of {ensemble.columns}")
    if not 0 <= tree.output < len(ensemble.base):
        raise ValueError(f"a tree of output {tree.output}")
    if not (np.isfinite(tree.value[leaf]).all() and np.isfinite(tree.threshold[~leaf]).all()):
        raise ValueError("values that are not finite")
    if not (np.isfinite(tree.cover).all() and (tree.cover > 0).all()):
        raise ValueError("nodes that no training row reached")
