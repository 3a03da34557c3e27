"""XGBoost: gradient-boosted histogram trees, 3-class softmax or squared error.

Chen and Guestrin, XGBoost: A Scalable Tree Boosting System, 2016 (arXiv 1603.02754).
"""

from __future__ import annotations

import json
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from quorate.core.errors import MissingExtraError, ModelError
from quorate.core.types import FloatArray
from quorate.models.base import FitRequest, Progress, Target, Task
from quorate.models.export import trees_to_onnx
from quorate.models.input_checks import Matrix
from quorate.models.model_files import read_file, write_file
from quorate.models.trees.boosted_trees import BoostedTrees

try:
    import xgboost
except ImportError as error:
    raise MissingExtraError("train XGBoost", found=str(error), remedy="Run: pip install 'quorate[train]'") from error

if TYPE_CHECKING:
    from xgboost import Booster

# Hessian of a row's loss before the first tree, which is its weight in a leaf. For three equally likely classes it is
# 2 p (1 - p), with p = 1/3.
_ROW_WEIGHT: dict[Task, float] = {"class": 4 / 9, "return": 1.0}


class XGBoost(BoostedTrees):
    """Gradient-boosted histogram trees."""

    name: ClassVar[str] = "xgboost"
    suffix: ClassVar[str] = ".ubj"
    _booster: Booster | None = None

    @property
    def columns(self) -> int | None:
        return None if self._booster is None else int(self._booster.num_features())

    def _fit(self, request: FitRequest) -> None:
        s = self.settings.xgboost
        callbacks = [] if request.progress is None else [_ProgressCallback(request.progress, s.trees)]
        try:
            rows = xgboost.QuantileDMatrix(
                np.asarray(request.X), label=request.y, weight=request.weight, nthread=self.threads
            )
            parameters = self._parameters(len(request.y), s.learning_rate)
            self._booster = xgboost.train(parameters, rows, num_boost_round=s.trees, callbacks=callbacks)
        except xgboost.core.XGBoostError as error:
            raise ModelError("fit xgboost", found=str(error).splitlines()[0]) from error

    def _boost_on(self, X: Matrix, y: Target, trees: int, rate: float) -> Self:
        booster = self._require_fitted(self._booster)
        try:
            rows = xgboost.QuantileDMatrix(np.asarray(X), label=y, nthread=self.threads)
            parameters = self._parameters(len(y), rate * self.settings.xgboost.learning_rate)
            grown = xgboost.train(parameters, rows, num_boost_round=trees, xgb_model=booster)
        except xgboost.core.XGBoostError as error:
            raise ModelError("add trees to xgboost", found=str(error).splitlines()[0]) from error
        made = copy(self)
        made._booster = grown
        return made

    def _parameters(self, n: int, learning_rate: float) -> dict[str, Any]:
        s = self.settings.xgboost
        objective = {"objective": "multi:softprob", "num_class": 3} if self.task == "class" else {}
        parameters: dict[str, Any] = {
            "objective": "reg:squarederror",
            "tree_method": "hist",
            "max_depth": s.depth,
            "learning_rate": learning_rate,
            "subsample": s.subsample,
            "colsample_bytree": s.colsample,
            "colsample_bynode": s.colsample_node,
            "min_child_weight": max(s.leaf_weight, s.leaf_share * n * _ROW_WEIGHT[self.task]),
            "lambda": s.l2 + s.l2_share * n,
            "seed": self.seed,
            "nthread": self.threads,
            "verbosity": 0,
            **objective,
        }
        if self.task == "return" and not s.from_mean:
            parameters["base_score"] = 0.0
        return parameters

    def _infer(self, X: Matrix) -> FloatArray:
        return np.asarray(self._require_fitted(self._booster).inplace_predict(np.asarray(X)), dtype=np.float64)

    def save(self, path: Path) -> None:
        booster = self._require_fitted(self._booster)
        write_file(path, bytes(booster.save_raw("ubj")))

    def load(self, path: Path) -> Self:
        content = read_file(path)
        # XGBoost aborts the process on bytes that are not UBJSON, so they are checked first.
        if not (content.startswith(b"{") and b"learner" in content[:64] and content.endswith(b"}")):
            raise ModelError(f"load {path}", found=repr(content[:16]), expected="an XGBoost UBJ file")
        booster = xgboost.Booster({"nthread": self.threads})
        try:
            booster.load_model(bytearray(content))
        except xgboost.core.XGBoostError as error:
            raise ModelError(f"load {path}", found=str(error).splitlines()[0], expected="UBJ") from error
        learner = json.loads(booster.save_config())["learner"]["learner_model_param"]
        self._require_outputs(max(1, int(learner["num_class"])), path)
        self._booster = booster
        return self

    def to_onnx(self) -> bytes:
        booster = self._require_fitted(self._booster)
        return trees_to_onnx("xgboost", booster, int(booster.num_features()))


class _ProgressCallback(xgboost.callback.TrainingCallback):
    """Reports each finished boosting round."""

    def __init__(self, progress: Progress, trees: int) -> None:
        self._progress = progress
        self._trees = trees

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002
        self._progress(epoch + 1, self._trees)
        return False
