"""A model under test: rows to fit it on, the fitted model, its files and its ONNX session."""

from __future__ import annotations

import tempfile
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from quorate.core.errors import ModelError
from quorate.core.settings import ModelSettings
from quorate.core.types import Action, Float32Array, FloatArray
from quorate.models.base import Model, Task
from quorate.models.registry import build, model_class
from quorate.models.runtime import OnnxSession
from quorate.testing.contract_check import Subject

ROWS = 600
_FEATURES = 6  # at least; those that a model reads by name are the first
_BAND = 0.005


class ModelUnderTest(Subject):
    """One registered model and one task, with rows on which the forward return follows the first feature.

    Args:
        name: as registered.
        task: "class" or "return".
        settings: of models; None for the defaults.

    Attributes:
        names: (F,) of the columns: those that the model reads by name, if any, and others up to six.
        features: F.
        X: (B, F) float32, or (B, L, F) for a model of windows; read-only, as is `y`.
        y: (B,) int8 classes or float64 returns.
    """

    def __init__(self, name: str, task: Task, settings: ModelSettings | None = None) -> None:
        super().__init__(f"{name}-{task}")
        self.name = name
        self.task: Task = task
        self.settings = settings or ModelSettings()
        self.member = model_class(name, self.settings)
        reads = self.member.reads
        self.names = (*reads, *(f"column_{place}" for place in range(len(reads), _FEATURES)))
        self.features = len(self.names)
        random = np.random.default_rng(20)
        window = self.new().window
        shape = (ROWS, self.features) if window == 1 else (ROWS, window, self.features)
        self.X = random.normal(size=shape).astype(np.float32)
        self.signal = self.X[:, 0] if self.X.ndim == 2 else self.X[:, -1, 0]
        returns = 0.01 * self.signal + 0.003 * random.normal(size=ROWS)
        classes = np.where(returns > _BAND, Action.BUY, np.where(returns < -_BAND, Action.SELL, Action.HOLD))
        self.y: Any = classes.astype(np.int8) if task == "class" else returns
        for array in (self.X, self.y):
            array.setflags(write=False)

    def new(self, seed: int = 1) -> Model:
        """An unfitted model."""
        return build(self.name, self.task, self.settings, seed=seed, threads=1, features=self.names)

    def fit(self, seed: int = 1, **kwargs: Any) -> Model:
        """A model fitted on the rows."""
        return self.new(seed).fit(self.X, self.y, **kwargs)

    @cached_property
    def fitted(self) -> Model:
        """One fitted model, shared by the checks that only read it."""
        return self.fit()

    @cached_property
    def session(self) -> OnnxSession:
        """The export of `fitted`, ready to run."""
        return OnnxSession(self.fitted.to_onnx(), self.features, self.name)

    def files(self, model: Model) -> tuple[bytes, bytes]:
        """The model's own file and its ONNX graph."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model"
            model.save(path)
            return path.read_bytes(), model.to_onnx()

    def load(self, content: bytes, task: Task | None = None) -> Model:
        """A new model from the bytes of a file."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model"
            path.write_bytes(content)
            return build(self.name, task or self.task, self.settings, seed=9, threads=1).load(path)

    def refuses_as_model(self, what: str, *words: str) -> AbstractContextManager[None]:
        """Raise unless the block raises a `ModelError` with these words."""
        return self.refuses(what, *words, error=ModelError)

    def predict(self, model: Model, X: Float32Array) -> FloatArray:
        """Outputs by the public method of the task: `predict_proba` or `predict`."""
        return model.predict_proba(X) if self.task == "class" else model.predict(X)
