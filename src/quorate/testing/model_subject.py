"""One member under test: rows to learn from, what it becomes, and how a broken promise is told."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from quorate.core.errors import ContractError, ModelError
from quorate.core.settings import ModelSettings
from quorate.core.types import Action, Float32Array, FloatArray
from quorate.models.base import Model, Task
from quorate.models.registry import build, model_class
from quorate.models.runtime import OnnxSession

ROWS, FEATURES = 600, 6
_BAND = 0.005


class ModelUnderTest:
    """One member and one task, with rows to learn from: the forward return follows the first feature.

    Attributes:
        X: (B, F) float32, or (B, L, F) for a member of windows; read-only, as is `y`.
        y: (B,) int8 classes or float64 returns.
    """

    def __init__(self, name: str, task: Task, settings: ModelSettings | None = None) -> None:
        self.name = name
        self.task: Task = task
        self.settings = settings or ModelSettings()
        self.member = model_class(name)
        random = np.random.default_rng(20)
        window = self.new().window
        shape = (ROWS, FEATURES) if window == 1 else (ROWS, window, FEATURES)
        self.X = random.normal(size=shape).astype(np.float32)
        self.signal = self.X[:, 0] if self.X.ndim == 2 else self.X[:, -1, 0]
        returns = 0.01 * self.signal + 0.003 * random.normal(size=ROWS)
        classes = np.where(returns > _BAND, Action.BUY, np.where(returns < -_BAND, Action.SELL, Action.HOLD))
        self.y: Any = classes.astype(np.int8) if task == "class" else returns
        for array in (self.X, self.y):
            array.setflags(write=False)

    def new(self, seed: int = 1) -> Model:
        """An unfitted member."""
        return build(self.name, self.task, self.settings, seed=seed, threads=1)

    def fit(self, seed: int = 1, **kwargs: Any) -> Model:
        """A member fitted on the subject's rows."""
        return self.new(seed).fit(self.X, self.y, **kwargs)

    @cached_property
    def fitted(self) -> Model:
        """One fitted member, shared by the promises that only read it."""
        return self.fit()

    @cached_property
    def session(self) -> OnnxSession:
        """Its export, ready to run."""
        return OnnxSession(self.fitted.to_onnx(), FEATURES, self.name)

    def files(self, model: Model) -> tuple[bytes, bytes]:
        """The member's own file and its graph."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model"
            model.save(path)
            return path.read_bytes(), model.to_onnx()

    def load(self, content: bytes, task: Task | None = None) -> Model:
        """A new member from the bytes of a file."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model"
            path.write_bytes(content)
            return build(self.name, task or self.task, self.settings, seed=9, threads=1).load(path)

    def keep(self, kept: bool, found: str, expected: str) -> None:
        """Raise unless a promise is kept.

        Raises:
            ContractError: it is not.
        """
        if not kept:
            raise ContractError(f"keep the contract as {self.name} ({self.task})", found=found, expected=expected)

    def keep_same(self, found: FloatArray, expected: FloatArray, tolerance: float, where: str) -> None:
        """Raise unless both say the same, within `tolerance`."""
        same = found.shape == expected.shape and bool((np.abs(found - expected) <= tolerance).all())
        off = f"off by {np.abs(found - expected).max():.2g}" if found.shape == expected.shape else f"{found.shape}"
        self.keep(same, f"{off} {where}", f"the same within {tolerance:g}")

    @contextmanager
    def refuses(self, what: str, *words: str) -> Iterator[None]:
        """Raise unless the block is refused with a `ModelError` that says these words."""
        try:
            yield
        except ModelError as error:
            missing = [word for word in words if word not in str(error)]
            self.keep(not missing, f"{what} refused by '{error}'", f"a message with {' and '.join(missing)}")
        else:
            self.keep(False, f"{what} accepted", "a ModelError")

    def ask(self, model: Model, X: Float32Array) -> FloatArray:
        """Through the public verb of the task."""
        return model.predict_proba(X) if self.task == "class" else model.predict(X)


@dataclass(frozen=True, slots=True)
class Check:
    """One promise of one member, ready to be called."""

    promise: Callable[[Any], None]
    subject: Any
    title: str

    def __call__(self) -> None:
        """Run it.

        Raises:
            ContractError: the promise is broken.
        """
        self.promise(self.subject)

    def __str__(self) -> str:
        return f"{self.title}-{self.promise.__name__}"
