"""The contract every member keeps, whatever it is inside.

A member learns from a matrix and gives scores; it exports itself to ONNX, so that serving needs none of the training
libraries. Shapes: B rows, F features, C = 3 classes in the order of `Action`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Literal, Self, TypeVar

import numpy as np

from quorate.core.errors import ModelError
from quorate.core.settings import ModelSettings
from quorate.core.types import ActionArray, Float32Array, FloatArray

Task = Literal["class", "return"]

Fitted = TypeVar("Fitted")

# (steps done, steps in all)
Progress = Callable[[int, int], None]


class Model(ABC):
    """One member of the ensemble.

    Class attributes:
        name: the registry's name for it.
        suffix: of its own safe file format.
        window: bars of features that one prediction reads; 1 for models of single rows.

    Args:
        task: "class" scores SELL, HOLD, BUY; "return" predicts the forward return as a fraction.
        settings: all models' settings; each reads its own section.
        seed: of everything random in it; the same seed gives the same file on the same machine.
        threads: 0 for every core.
    """

    name: ClassVar[str]
    suffix: ClassVar[str]
    window: ClassVar[int] = 1

    def __init__(self, task: Task, settings: ModelSettings, *, seed: int, threads: int = 0) -> None:
        self.task = task
        self.settings = settings
        self.seed = seed
        self.threads = threads

    @abstractmethod
    def fit(
        self,
        X: Float32Array,
        y: ActionArray | FloatArray,
        *,
        weight: FloatArray | None = None,
        progress: Progress | None = None,
    ) -> Self:
        """Learn from rows that have every feature and a label.

        Args:
            X: (B, F) float32, no NaN.
            y: (B,) values of Action for "class", returns as fractions for "return".
            weight: (B,) non-negative sample weights.
            progress: called as training goes on.

        Raises:
            ModelError: NaN or infinity in X or y, shapes that do not fit, or the library's own failure.
        """

    @abstractmethod
    def predict_proba(self, X: Float32Array) -> FloatArray:
        """(B, 3) raw scores in class order, rows summing to 1."""

    @abstractmethod
    def predict(self, X: Float32Array) -> FloatArray:
        """(B,) forward returns as fractions, for the task "return"."""

    @abstractmethod
    def save(self, path: Path) -> None:
        """Write the model in its own safe format."""

    @abstractmethod
    def load(self, path: Path) -> Self:
        """Read what `save` wrote."""

    @abstractmethod
    def to_onnx(self) -> bytes:
        """The fitted model as an ONNX graph: input (B, F) float32, last output (B, 3) or (B, 1)."""

    def output(self, X: Float32Array) -> FloatArray:
        """What the ONNX graph must reproduce: (B, 3) scores or (B, 1) returns."""
        return self.predict_proba(X) if self.task == "class" else self.predict(X)[:, None]

    def _require_rows(self, X: Float32Array, y: ActionArray | FloatArray, weight: FloatArray | None) -> None:
        """Refuse rows that no member may learn from."""
        attempted = f"fit {self.name}"
        if X.ndim != 2 or len(X) != len(y) or (weight is not None and len(weight) != len(y)):
            shapes = f"X {X.shape}, y {y.shape}" + ("" if weight is None else f", weight {weight.shape}")
            raise ModelError(attempted, found=shapes, expected="X (B, F), y (B,) and weight (B,)")
        if not len(X):
            raise ModelError(attempted, found="no rows", expected="rows with every feature and a label")
        bad = np.flatnonzero(~np.isfinite(X).all(axis=1) | ~np.isfinite(y))
        if bad.size:
            raise ModelError(
                attempted, found=f"{bad.size} rows with NaN or infinity, first {bad[0]}", expected="finite values"
            )
        if self.task == "class" and not np.isin(y, (0, 1, 2)).all():
            raise ModelError(attempted, found=f"labels {np.unique(y)[:5]}", expected="0 SELL, 1 HOLD, 2 BUY")

    def _require_fitted(self, fitted: Fitted | None) -> Fitted:
        if fitted is None:
            raise ModelError(f"use {self.name}", found="no fitted model", expected="fit or load first")
        return fitted
