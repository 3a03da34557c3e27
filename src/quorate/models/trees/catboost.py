"""CatBoost: gradient boosting on symmetric trees, whose nodes of one level all make the same split.

Its JSON format is read and served without the library. What differs between two equal fits, such as the time of the
fit, is left out of the file; CatBoost itself loads it as well.

Prokhorenkova et al., CatBoost: Unbiased Boosting with Categorical Features, 2018.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from quorate.core.errors import MissingExtraError, ModelError
from quorate.core.types import Action, Float32Array, FloatArray
from quorate.core.untrusted_json import MISSHAPEN, parse_json
from quorate.models.base import FitRequest, Model, Progress
from quorate.models.export import Step, steps_to_onnx
from quorate.models.input_checks import Matrix
from quorate.models.model_files import finite_array, read_file, write_file
from quorate.models.trees.tree_arrays import TreeArrays, tree_step

try:
    import catboost
except ImportError as error:
    raise MissingExtraError("train CatBoost", found=str(error), remedy="Run: pip install 'quorate[zoo]'") from error

# Logit of a class without training rows, below those of the others.
_ABSENT = -50.0

# Levels of a tree that CatBoost can make.
_DEEPEST = 16

# Parts of the JSON format that define the model.
_PARTS = ("features_info", "oblivious_trees", "scale_and_bias")


@dataclass(frozen=True, slots=True, eq=False)
class BoostedModel:
    """A model in CatBoost's JSON format.

    Attributes:
        document: as saved; its class k is the k-th that has training rows.
        trees: (N, C) values of all nodes.
        bias: (C,) float64, to which the trees add: logits or a return.
    """

    document: Mapping[str, Any]
    trees: TreeArrays
    bias: FloatArray


class CatBoost(Model):
    """Gradient-boosted symmetric trees."""

    name: ClassVar[str] = "catboost"
    suffix: ClassVar[str] = ".json"
    _fitted: BoostedModel | None = None

    @property
    def columns(self) -> int | None:
        return None if self._fitted is None else int(self._fitted.trees.columns[0])

    def _fit(self, request: FitRequest) -> None:
        X, y, weight = np.asarray(request.X), np.asarray(request.y), request.weight
        if weight is not None:
            used = weight > 0
            X, y, weight = X[used], y[used], weight[used]
        if self.task == "class":
            present, classes = np.unique(y, return_inverse=True)
            shares = np.bincount(classes, weights=weight) / (len(y) if weight is None else weight.sum())
            document = self._boost(X, classes, weight, np.log(shares), request.progress)
        else:
            present, returns = np.zeros(1), y.astype(np.float64)
            start = np.array([np.average(returns, weights=weight)])
            document = self._boost(X, returns, weight, start, request.progress)
        document["quorate"] = {"task": self.task, "columns": X.shape[1], "present": present.astype(int).tolist()}
        self._fitted = self._read(document)

    def _boost(
        self, X: Float32Array, y: Any, weight: FloatArray | None, start: FloatArray, progress: Progress | None
    ) -> dict[str, Any]:
        """The parts of CatBoost's document, of trees that add to the (K,) start."""
        s = self.settings.catboost
        if np.ptp(y) == 0:  # CatBoost refuses labels that are all equal
            if progress is not None:
                progress(s.trees, s.trees)
            return {"features_info": {}, "oblivious_trees": [], "scale_and_bias": [1, start.tolist()]}
        loss = {"loss_function": "MultiClass"} if self.task == "class" else {"loss_function": "RMSE"}
        booster = catboost.CatBoost(
            {
                **loss,
                "iterations": s.trees,
                "depth": s.depth,
                "learning_rate": s.learning_rate,
                "bootstrap_type": "Bernoulli",
                "subsample": s.subsample,
                "rsm": s.colsample,
                "l2_leaf_reg": s.l2 + s.l2_share * len(y),
                "boosting_type": "Plain",
                "boost_from_average": False,
                "random_seed": self.seed,
                "thread_count": self.threads or -1,
                "allow_writing_files": False,
                "logging_level": "Silent",
            }
        )
        rows = catboost.Pool(X, label=y, weight=weight, baseline=np.tile(start, (len(y), 1)))
        try:
            booster.fit(rows, callbacks=[] if progress is None else [_ProgressCallback(progress, s.trees)])
        except catboost.CatBoostError as error:
            raise ModelError("fit catboost", found=str(error).splitlines()[0]) from error
        booster.set_scale_and_bias(1.0, start.tolist())
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.json"
            booster.save_model(str(path), format="json")
            document = json.loads(path.read_bytes())
        return {part: document[part] for part in _PARTS}

    def _read(self, document: Mapping[str, Any]) -> BoostedModel:
        """The trees of a document.

        Raises:
            ValueError, KeyError, TypeError, IndexError: a document of another shape.
        """
        own = document["quorate"]
        present, columns = own["present"], own["columns"]
        C = len(Action) if own["task"] == "class" else 1
        if not (type(columns) is int and columns > 0 and present and sorted({*present} & {*range(C)}) == present):
            raise ValueError(f"{columns!r} columns and the outputs {present!r}")
        scale, bias = document["scale_and_bias"]
        if len(bias) != len(present):
            raise ValueError(f"a bias of {len(bias)} values for {len(present)} outputs")
        start = np.full(C, _ABSENT)
        start[present] = finite_array(bias)
        trees = _as_arrays(document["oblivious_trees"], present, columns, C, float(finite_array(scale)))
        trees.require_consistent()
        return BoostedModel(document, trees, start)

    def _infer(self, X: Matrix) -> FloatArray:
        fitted = self._require_fitted(self._fitted)
        sums = fitted.trees.sums(np.asarray(X)) + fitted.bias
        if self.task == "return":
            return sums
        exponentials = np.exp(sums - sums.max(axis=1, keepdims=True))
        return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))

    def save(self, path: Path) -> None:
        fitted = self._require_fitted(self._fitted)
        write_file(path, (json.dumps(fitted.document, allow_nan=False) + "\n").encode())

    def load(self, path: Path) -> Self:
        content = read_file(path)
        try:
            document = parse_json(content)
            task = document["quorate"]["task"]
            if task != self.task:
                raise ModelError(f"load {path}", found=f"the task {task!r}", expected=f'the task "{self.task}"')
            read = self._read(document)
        except MISSHAPEN as error:
            raise ModelError(f"load {path}", found=repr(error), expected="a CatBoost JSON file") from error
        self._fitted = read
        return self

    def to_onnx(self) -> bytes:
        fitted = self._require_fitted(self._fitted)
        steps = [tree_step(fitted.trees, "SUM", "sums"), Step("Add", ("sums", "bias"), "output")]
        if self.task == "class":
            steps[-1] = steps[-1]._replace(makes="logits")
            steps.append(Step("Softmax", ("logits",), "output", {"axis": 1}))
        constants = {"bias": fitted.bias.astype(np.float32)}
        return steps_to_onnx(self.name, steps, constants, int(fitted.trees.columns[0]), len(fitted.bias))


class _ProgressCallback:
    """Reports each finished boosting round."""

    def __init__(self, progress: Progress, trees: int) -> None:
        self._progress = progress
        self._trees = trees

    def after_iteration(self, info: Any) -> bool:
        self._progress(info.iteration, self._trees)
        return True


def _as_arrays(trees: Sequence[Any], present: Sequence[int], columns: int, C: int, scale: float) -> TreeArrays:
    """Symmetric trees as trees whose nodes are numbered level by level.

    Bit i of the number of a leaf says whether the row is above the border of split i.
    """
    # A tree of one leaf, to which all rows belong, stands for none.
    given = trees or [{"splits": [], "leaf_values": [0.0] * len(present)}]
    roots, parts, start = [], [], 0
    for tree in given:
        splits = tree["splits"] or []
        if len(splits) > _DEEPEST or any(split["split_type"] != "FloatFeature" for split in splits):
            raise ValueError(f"a tree of {len(splits)} levels, or splits on other values than numbers")
        D = len(splits)
        level = np.repeat(np.arange(D + 1), 2 ** np.arange(D + 1))
        prefix = np.arange(len(level)) - (2**level - 1)
        leaf, own = level == D, start + np.arange(len(level))
        below = start + 2 ** (level + 1) - 1 + prefix
        values = np.zeros((len(level), C))
        values[np.ix_(leaf, present)] = scale * finite_array(tree["leaf_values"]).reshape(2**D, len(present))
        column = np.array([*(split["float_feature_index"] for split in splits), -1], np.int32)
        with np.errstate(over="ignore"):
            border = np.array([*(split["border"] for split in splits), 0.0], np.float32)
        left, right = np.where(leaf, own, below), np.where(leaf, own, below + 2**level)
        parts.append((column[level], border[level], left, right, values))
        roots.append(start)
        start += len(level)
    column, threshold, left, right, value = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return TreeArrays(
        roots=np.array(roots, np.int32),
        column=column,
        threshold=threshold,
        left=left.astype(np.int32),
        right=right.astype(np.int32),
        value=value.astype(np.float32),
        columns=np.array([columns], np.int32),
    )
