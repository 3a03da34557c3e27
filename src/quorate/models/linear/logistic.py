"""Logistic regression, the linear baseline of the ensemble; ridge regression for returns.

Features are winsorised at the outer quantiles of the training rows and standardised, because features such as volume
are heavy-tailed. Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 2009, 3.4 and 4.4.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from quorate.core.errors import MissingExtraError, ModelError
from quorate.core.types import ActionArray, Float32Array, FloatArray
from quorate.core.untrusted_json import MISSHAPEN, parse_json
from quorate.models.base import FitRequest, Model
from quorate.models.export import DOUBLE, FLOAT, Step, steps_to_onnx
from quorate.models.input_checks import Matrix
from quorate.models.model_files import finite_array, read_file, write_file

_FORMAT = "quorate-logistic-1"

# Intercept of a class without training rows: its score is below 1e-20.
_ABSENT = -50.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Coefficients:
    """A fitted linear model: (clip(x, low, high) - mean) / scale @ weights + intercept.

    Attributes:
        low, high, mean, scale: (F,) float64.
        weights: (F, C) float64; C is 3 for classes, 1 for returns.
        intercept: (C,) float64.
    """

    low: FloatArray
    high: FloatArray
    mean: FloatArray
    scale: FloatArray
    weights: FloatArray
    intercept: FloatArray

    def inputs(self, X: Float32Array) -> FloatArray:
        """(B, F) standardised inputs."""
        return np.asarray((np.clip(X.astype(np.float64), self.low, self.high) - self.mean) / self.scale)

    def decision(self, X: Float32Array) -> FloatArray:
        """(B, C) logits or returns."""
        return np.asarray(self.inputs(X) @ self.weights + self.intercept)


def standardise(
    rows: FloatArray, weight: FloatArray | None, tail: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Winsorise and standardise rows in place.

    Args:
        rows: (n, F) float64.
        weight: (n,) of the rows; None for 1 each.
        tail: quantile at which columns are clipped, on each side.

    Returns:
        (F,) lower and upper limits, means and scales of the columns.
    """
    # Quantiles without interpolation, so that a single outlier does not move them.
    inner = (np.quantile(rows, tail, axis=0, method="higher"), np.quantile(rows, 1 - tail, axis=0, method="lower"))
    low, high = np.minimum(*inner), np.maximum(*inner)
    np.clip(rows, low, high, out=rows)
    mean = np.average(rows, axis=0, weights=weight)
    scale = np.sqrt(np.average((rows - mean) ** 2, axis=0, weights=weight))
    # A constant feature has a scale of 1, to avoid a division by 0.
    scale = np.where(scale > 1e-12 * np.maximum(1.0, np.abs(mean)), scale, 1.0)
    rows -= mean
    rows /= scale
    return low, high, mean, scale


class Logistic(Model):
    """Multinomial logistic regression, or ridge regression of returns, on standardised inputs."""

    name: ClassVar[str] = "logistic"
    suffix: ClassVar[str] = ".json"
    _fitted: Coefficients | None = None

    @property
    def columns(self) -> int | None:
        return None if self._fitted is None else len(self._fitted.mean)

    @property
    def coefficients(self) -> Coefficients:
        """What was fitted.

        Raises:
            ModelError: nothing was.
        """
        return self._require_fitted(self._fitted)

    def _fit(self, request: FitRequest) -> None:
        X, y, weight = np.asarray(request.X), request.y, request.weight
        if weight is not None:
            used = weight > 0
            X, y, weight = X[used], y[used], weight[used]
        rows = X.astype(np.float64)
        low, high, mean, scale = standardise(rows, weight, self.settings.logistic.tail)
        weights, intercept = (self._fit_classes if self.task == "class" else self._fit_returns)(rows, y, weight)
        self._fitted = Coefficients(low, high, mean, scale, weights, intercept)
        if request.progress is not None:
            request.progress(1, 1)

    def _fit_classes(
        self, rows: FloatArray, y: ActionArray | FloatArray, weight: FloatArray | None
    ) -> tuple[FloatArray, FloatArray]:
        """(F, 3) weights and (3,) intercepts; a class without rows has weights of 0 and a score near 0."""
        weights, intercept = np.zeros((rows.shape[1], 3)), np.full(3, _ABSENT)
        present = np.unique(y).astype(np.intp)
        if len(present) == 1:
            intercept[present] = 0.0
            return weights, intercept
        s = self.settings.logistic
        # Newton's method takes a few steps; columns that nearly repeat each other cost L-BFGS hundreds.
        options = {"solver": "newton-cholesky", "max_iter": s.iterations, "tol": 1e-6}
        model = fit_regression(self.name, rows, y, weight, s.l2, **options)
        if len(present) == 2:
            # scikit-learn has one logit for two classes, of the second against the first. It is split between both,
            # so that neither falls below the absent class.
            weights[:, present] = model.coef_.T * (-0.5, 0.5)
            intercept[present] = model.intercept_ * (-0.5, 0.5)
        else:
            weights[:, present], intercept[present] = model.coef_.T, model.intercept_
        return weights, intercept

    def _fit_returns(
        self, rows: FloatArray, y: ActionArray | FloatArray, weight: FloatArray | None
    ) -> tuple[FloatArray, FloatArray]:
        s = self.settings.logistic
        model = _scikit_learn(self.name).Ridge(alpha=s.l2 + s.l2_share * len(y), solver="cholesky")
        with one_thread():
            model.fit(rows, y.astype(np.float64), sample_weight=weight)
        return model.coef_[:, None], np.array([model.intercept_])

    def _infer(self, X: Matrix) -> FloatArray:
        decision = self._require_fitted(self._fitted).decision(np.asarray(X))
        if self.task == "return":
            return decision
        exponentials = np.exp(decision - decision.max(axis=1, keepdims=True))
        return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))

    def save(self, path: Path) -> None:
        fitted = self._require_fitted(self._fitted)
        tree = {"format": _FORMAT} | {name: array.tolist() for name, array in asdict(fitted).items()}
        write_file(path, (json.dumps(tree, allow_nan=False) + "\n").encode())

    def load(self, path: Path) -> Self:
        content = read_file(path)
        try:
            tree = parse_json(content)
            if tree["format"] != _FORMAT:
                raise ModelError(f"load {path}", found=repr(tree["format"]), expected=_FORMAT)
            read = Coefficients(**{field.name: finite_array(tree[field.name]) for field in fields(Coefficients)})
        except MISSHAPEN as error:
            raise ModelError(f"load {path}", found=repr(error), expected=f"a file of {_FORMAT}") from error
        F, C = read.weights.shape if read.weights.ndim == 2 else (0, 0)
        shapes = {field.name: getattr(read, field.name).shape for field in fields(Coefficients)}
        wanted = dict.fromkeys(("low", "high", "mean", "scale"), (F,)) | {"weights": (F, C), "intercept": (C,)}
        if shapes != wanted or not F or not (read.scale > 0).all():
            raise ModelError(f"load {path}", found=f"arrays of {shapes}", expected="(F,), and (F, C) of weights")
        self._require_outputs(C, path)
        self._fitted = read
        return self

    def to_onnx(self) -> bytes:
        """The fitted model as an ONNX graph that computes in double, so that it differs by rounding only."""
        fitted = self._require_fitted(self._fitted)
        steps = [
            Step("Cast", ("input",), "double", {"to": DOUBLE}),
            Step("Max", ("double", "low"), "raised"),
            Step("Min", ("raised", "high"), "held"),
            Step("Sub", ("held", "mean"), "centred"),
            Step("Div", ("centred", "scale"), "standardised"),
            Step("MatMul", ("standardised", "weights"), "products"),
            Step("Add", ("products", "intercept"), "sums"),
        ]
        if self.task == "class":
            steps.append(Step("Softmax", ("sums",), "scores", {"axis": 1}))
        steps.append(Step("Cast", (steps[-1].makes,), "output", {"to": FLOAT}))
        return steps_to_onnx(self.name, steps, asdict(fitted), *fitted.weights.shape)


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep products of matrices to this thread.

    With few columns, further threads gain nothing; beside busy processes their waiting makes a fit take 30 times as
    long, and the sums would depend on how many there are.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield


def fit_regression(
    name: str, rows: FloatArray, y: npt.NDArray[Any], weight: FloatArray | None, l2: float, **options: Any
) -> Any:
    """Fit scikit-learn's logistic regression; its warnings are logged.

    Args:
        name: of the member, for messages.
        rows: (n, F).
        y: (n,) classes, at least two of which occur.
        weight: (n,); None for 1 each.
        l2: penalty on half the squared weights; the intercept is free.
        options: of the solver.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    model = _scikit_learn(name).LogisticRegression(C=1 / l2, **options)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with one_thread():
            model.fit(rows, y, sample_weight=weight)
    for warning in caught:
        _log.warning("%s: %s", name, str(warning.message).splitlines()[0].rstrip(":"))
    return model


def _scikit_learn(name: str) -> Any:
    try:
        from sklearn import linear_model
    except ImportError as error:
        raise MissingExtraError(
            f"train {name}", found=str(error), remedy="Run: pip install 'quorate[train]'"
        ) from error
    return linear_model
