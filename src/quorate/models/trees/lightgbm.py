"""LightGBM: gradient-boosted leaf-wise histogram trees, 3-class softmax or squared error.

Ke et al., LightGBM: A Highly Efficient Gradient Boosting Decision Tree, 2017.
"""

from __future__ import annotations

import re
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from quorate.core.errors import MissingExtraError, ModelError
from quorate.core.types import FloatArray
from quorate.models.base import FitRequest, Target
from quorate.models.export import trees_to_onnx
from quorate.models.input_checks import Matrix
from quorate.models.model_files import read_file, write_file
from quorate.models.trees.boosted_trees import BoostedTrees

try:
    import lightgbm
except ImportError as error:
    raise MissingExtraError("train LightGBM", found=str(error), remedy="Run: pip install 'quorate[train]'") from error

if TYPE_CHECKING:
    from lightgbm import Booster


class LightGBM(BoostedTrees):
    """Gradient-boosted trees, grown leaf-wise."""

    name: ClassVar[str] = "lightgbm"
    suffix: ClassVar[str] = ".txt"
    _booster: Booster | None = None

    @property
    def columns(self) -> int | None:
        return None if self._booster is None else int(self._booster.num_feature())

    @property
    def stops_early(self) -> bool:
        return self.settings.lightgbm.patience > 0

    def _fit(self, request: FitRequest) -> None:
        s = self.settings.lightgbm

        def report(step: Any) -> None:
            if request.progress is not None:
                request.progress(step.iteration + 1, s.trees)

        try:
            rows = lightgbm.Dataset(
                np.asarray(request.X), label=request.y, weight=request.weight, params={"verbosity": -1}
            )
            booster = self._boost(self._parameters(len(request.y), s.learning_rate), rows, request, [report])
        except lightgbm.basic.LightGBMError as error:
            raise ModelError("fit lightgbm", found=str(error)) from error
        self._booster = lightgbm.Booster(model_str=_single_precision(booster.model_to_string()))

    def _boost_on(self, X: Matrix, y: Target, trees: int, rate: float) -> Self:
        fitted = self._require_fitted(self._booster)
        try:
            rows = lightgbm.Dataset(np.asarray(X), label=y, params={"verbosity": -1})
            parameters = self._parameters(len(y), rate * self.settings.lightgbm.learning_rate)
            grown = lightgbm.train(parameters, rows, num_boost_round=trees, init_model=fitted)
        except lightgbm.basic.LightGBMError as error:
            raise ModelError("add trees to lightgbm", found=str(error)) from error
        made = copy(self)
        made._booster = lightgbm.Booster(model_str=_single_precision(grown.model_to_string()))
        return made

    def _parameters(self, n: int, learning_rate: float) -> dict[str, Any]:
        s = self.settings.lightgbm
        objective = {"objective": "multiclass", "num_class": 3} if self.task == "class" else {"objective": "regression"}
        return {
            "num_leaves": s.leaves,
            "max_depth": s.depth,
            "learning_rate": learning_rate,
            "bagging_fraction": s.subsample,
            "bagging_freq": int(s.subsample < 1),
            "feature_fraction": s.colsample,
            "extra_trees": s.random_splits,
            "min_data_in_leaf": max(s.leaf_rows, round(s.leaf_share * n)),
            "lambda_l2": s.l2 + s.l2_share * n,
            "boost_from_average": self.task == "class" or s.from_mean,
            "seed": self.seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": self.threads,
            "verbosity": -1,
            **objective,
        }

    def _boost(self, parameters: dict[str, Any], rows: Any, request: FitRequest, callbacks: list[Any]) -> Any:
        """All trees, or those up to the lowest loss on the stopping rows."""
        s = self.settings.lightgbm
        if not self.stops_early or request.stopping is None:
            return lightgbm.train(parameters, rows, num_boost_round=s.trees, callbacks=callbacks)
        stopping = lightgbm.Dataset(np.asarray(request.stopping.X), label=request.stopping.y, reference=rows)
        early = lightgbm.early_stopping(s.patience, verbose=False)
        booster = lightgbm.train(
            parameters, rows, num_boost_round=s.trees, valid_sets=[stopping], callbacks=[*callbacks, early]
        )
        return lightgbm.Booster(model_str=booster.model_to_string(num_iteration=booster.best_iteration))

    def _infer(self, X: Matrix) -> FloatArray:
        booster = self._require_fitted(self._booster)
        return np.asarray(booster.predict(np.asarray(X), num_threads=self.threads), dtype=np.float64)

    def save(self, path: Path) -> None:
        booster = self._require_fitted(self._booster)
        write_file(path, booster.model_to_string().encode())

    def load(self, path: Path) -> Self:
        try:
            text = read_file(path).decode()
            # LightGBM aborts the process on a malformed text, so it is checked first.
            if not (text.startswith("tree\n") and "\nend of trees\n" in text):
                raise ModelError(f"load {path}", found=repr(text[:30]), expected="a LightGBM text file")
            booster = lightgbm.Booster(model_str=text)
        except (UnicodeDecodeError, lightgbm.basic.LightGBMError) as error:
            raise ModelError(f"load {path}", found=str(error), expected="a LightGBM text file") from error
        self._require_outputs(int(booster.num_model_per_iteration()), path)
        self._booster = booster
        return self

    def to_onnx(self) -> bytes:
        booster = self._require_fitted(self._booster)
        return trees_to_onnx("lightgbm", booster, int(booster.num_feature()))


def _single_precision(text: str) -> str:
    """The same trees with their thresholds rounded down to float32.

    LightGBM compares in double, ONNX in float32. Features are float32, so a threshold rounded *down* to float32 sends
    every row to the same leaf: the model and its graph then agree exactly.
    """

    def rounded(match: re.Match[str]) -> str:
        exact = np.array(match[1].split(), dtype=np.float64)
        single = exact.astype(np.float32)
        single = np.where(single > exact, np.nextafter(single, np.float32(-np.inf)), single)
        return "threshold=" + " ".join(repr(float(value)) for value in single)

    text = re.sub(r"^threshold=(.*)$", rounded, text, flags=re.MULTILINE)
    # The header has the size of each tree in bytes, which has changed; without it LightGBM parses tree by tree.
    return re.sub(r"^tree_sizes=.*\n", "", text, flags=re.MULTILINE)
