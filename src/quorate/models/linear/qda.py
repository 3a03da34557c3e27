"""Regularised discriminant analysis: a normal density for each class, with covariances shrunk towards each other.

With W the weights of rows, S scatter matrices and F columns, the covariance of class k is

    C_k = ((1 - pooled) S_k + pooled S) / ((1 - pooled) W_k + pooled W)
    (1 - identity) C_k + identity trace(C_k) / F I

Columns are far from normal and repeat each other, so that the densities tell the classes apart with too much certainty:
they are raised to a power below 1 before Bayes' rule.

Of returns it predicts the posterior mean over three classes, the thirds of the training returns: the mean return of
each third, weighted by its posterior probability.

Friedman, Regularized Discriminant Analysis, 1989. The power is that of Grünwald, The Safe Bayesian, 2012.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from quorate.core.errors import ModelError
from quorate.core.settings import QDASettings
from quorate.core.types import Action, Float32Array, FloatArray, IntArray
from quorate.core.untrusted_json import MISSHAPEN, parse_json
from quorate.models.base import FitRequest, Model
from quorate.models.export import DOUBLE, FLOAT, Step, steps_to_onnx
from quorate.models.input_checks import Matrix
from quorate.models.linear.logistic import one_thread, standardise
from quorate.models.model_files import finite_array, read_file, write_file

_FORMAT = "quorate-qda-1"


@dataclass(frozen=True, slots=True, eq=False)
class Densities:
    """The K classes that have training rows: softmax(constant - |z roots + centres|^2) @ outcomes.

    Attributes:
        low, high, mean, scale: (F,) float64 limits and scales of the columns; z are the standardised ones.
        roots: (K, F, F) float64; z @ root has a covariance of half the power in its class.
        centres: (K, F) float64, minus the mean of the class there.
        constant: (K,) float64, log prior and normalisation.
        outcomes: (K, C) float64: indicators of the classes, or (K, 1) mean returns.
    """

    low: FloatArray
    high: FloatArray
    mean: FloatArray
    scale: FloatArray
    roots: FloatArray
    centres: FloatArray
    constant: FloatArray
    outcomes: FloatArray

    def output(self, X: Float32Array) -> FloatArray:
        """(B, C) scores or returns for (B, F) rows."""
        z = (np.clip(X.astype(np.float64), self.low, self.high) - self.mean) / self.scale
        far = [np.sum((z @ root + centre) ** 2, axis=1) for root, centre in zip(self.roots, self.centres, strict=True)]
        logits = self.constant - np.stack(far, axis=1)
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True) @ self.outcomes)

    def require_consistent(self) -> None:
        """Raise ValueError for shapes that do not belong together."""
        K, F, C = (*self.centres.shape, *self.outcomes.shape[1:]) if self.centres.ndim == 2 else (0, 0, 0)
        wanted: dict[str, tuple[int, ...]] = dict.fromkeys(("low", "high", "mean", "scale"), (F,))
        wanted |= {"roots": (K, F, F), "centres": (K, F), "constant": (K,), "outcomes": (K, C)}
        shapes = {field.name: getattr(self, field.name).shape for field in fields(self)}
        if shapes != wanted or not K or not F or not (self.scale > 0).all():
            raise ValueError(f"arrays of {shapes}")


class QDA(Model):
    """Quadratic discriminant analysis with shrunk covariances, on standardised inputs."""

    name: ClassVar[str] = "qda"
    suffix: ClassVar[str] = ".json"
    _fitted: Densities | None = None

    @property
    def columns(self) -> int | None:
        return None if self._fitted is None else len(self._fitted.mean)

    def _fit(self, request: FitRequest) -> None:
        X, y = np.asarray(request.X), np.asarray(request.y)
        weight = np.ones(len(y)) if request.weight is None else request.weight.astype(np.float64)
        used = weight > 0
        rows, y, weight = X[used].astype(np.float64), y[used], weight[used]
        low, high, mean, scale = standardise(rows, weight, self.settings.qda.tail)
        if self.task == "class":
            classes, levels = y.astype(np.int64), np.eye(len(Action))
        else:
            returns = y.astype(np.float64)
            classes = thirds(returns, weight)
            levels = np.array([[_mean(returns, weight * (classes == k))] for k in range(3)])
        present = np.unique(classes)
        with one_thread():
            roots, centres, constant = _densities(rows, classes, present, weight, self.settings.qda)
        self._fitted = Densities(low, high, mean, scale, roots, centres, constant, levels[present])
        if request.progress is not None:
            request.progress(1, 1)

    def _infer(self, X: Matrix) -> FloatArray:
        return self._require_fitted(self._fitted).output(np.asarray(X))

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
            read = Densities(**{field.name: finite_array(tree[field.name]) for field in fields(Densities)})
            read.require_consistent()
        except MISSHAPEN as error:
            raise ModelError(f"load {path}", found=repr(error), expected=f"a file of {_FORMAT}") from error
        self._require_outputs(read.outcomes.shape[1], path)
        self._fitted = read
        return self

    def to_onnx(self) -> bytes:
        """The fitted model as an ONNX graph that computes in double, so that it differs by rounding only."""
        fitted = self._require_fitted(self._fitted)
        K, F = fitted.centres.shape
        steps = [
            Step("Cast", ("input",), "double", {"to": DOUBLE}),
            Step("Max", ("double", "low"), "raised"),
            Step("Min", ("raised", "high"), "held"),
            Step("Sub", ("held", "mean"), "centred"),
            Step("Div", ("centred", "scale"), "standardised"),
            Step("MatMul", ("standardised", "roots"), "products"),
            Step("Add", ("products", "centres"), "distances"),
            Step("Reshape", ("distances", "apart"), "of_each"),
            Step("ReduceSumSquare", ("of_each",), "far", {"axes": [2], "keepdims": 0}),
            Step("Sub", ("constant", "far"), "logits"),
            Step("Softmax", ("logits",), "shares", {"axis": 1}),
            Step("MatMul", ("shares", "outcomes"), "values"),
            Step("Cast", ("values",), "output", {"to": FLOAT}),
        ]
        constants = asdict(fitted) | {
            # The matrices of all classes side by side: one product instead of K.
            "roots": fitted.roots.transpose(1, 0, 2).reshape(F, K * F),
            "centres": fitted.centres.ravel(),
            "apart": np.array([-1, K, F], np.int64),
        }
        return steps_to_onnx(self.name, steps, constants, F, fitted.outcomes.shape[1])


def thirds(returns: FloatArray, weight: FloatArray) -> IntArray:
    """(n,) 0, 1 or 2: the third of the weight in which each return is; equal returns are in one.

    >>> thirds(np.array([0.3, -0.1, 0.2, 0.0, 0.1, -0.2]), np.ones(6)).tolist()
    [2, 0, 2, 1, 1, 0]
    """
    _, place = np.unique(returns, return_inverse=True)
    # The middle of each value's weight, so that a value with most of the weight is in the third around it.
    weights = np.bincount(place, weights=weight)
    middle = (np.cumsum(weights) - weights / 2) / weights.sum()
    return np.asarray(np.minimum(3 * middle, 2).astype(np.int64)[place])


def _densities(
    rows: FloatArray, classes: IntArray, present: IntArray, weight: FloatArray, s: QDASettings
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Roots, centres and constants of the classes that are present, from (n, F) standardised rows."""
    F = rows.shape[1]
    share = weight / weight.sum()
    means, scatters, shares = [], [], []
    for k in present:
        own, part = rows[classes == k], share[classes == k]
        means.append(np.average(own, axis=0, weights=part))
        centred = (own - means[-1]) * np.sqrt(part)[:, None]
        scatters.append(centred.T @ centred)
        shares.append(part.sum())
    pooled = np.sum(scatters, axis=0)
    roots, constants = np.empty((len(present), F, F)), np.empty(len(present))
    for k, (scatter, prior) in enumerate(zip(scatters, shares, strict=True)):
        covariance = ((1 - s.pooled) * scatter + s.pooled * pooled) / ((1 - s.pooled) * prior + s.pooled)
        spread = np.trace(covariance) / F
        # Constant columns have no spread: as in their scale, 1 stands for it.
        covariance = (1 - s.identity) * covariance + s.identity * (spread if spread > 1e-12 else 1.0) * np.eye(F)
        lower = np.linalg.cholesky(covariance)
        roots[k] = np.sqrt(s.power / 2) * np.linalg.inv(lower).T
        constants[k] = np.log(prior) - s.power * np.log(np.diag(lower)).sum()
    centres = -np.einsum("kf,kfg->kg", np.array(means), roots)
    return roots, centres, constants


def _mean(y: FloatArray, weight: FloatArray) -> float:
    """Weighted mean; 0 without weight."""
    total = weight.sum()
    return float(y @ weight / total) if total > 0 else 0.0
