"""The interface of every member: fit on a matrix, predict scores or returns, save, load, export to ONNX.

Serving runs the ONNX graph and needs none of the training libraries. Shapes: B rows, L bars of a window, F features,
C = 3 classes in the order of `Action`.

`Model` checks the arguments of all members. A subclass implements `_fit`, `_infer`, `columns`, `save`, `load` and
`to_onnx`, and `window` if it reads more than one bar; `quorate.testing.model_checks` tests it against this interface.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, Self, TypeVar, get_args

import numpy as np

from quorate.core.arguments import FUNCTION, WHOLE, Kind, require_types
from quorate.core.errors import ModelError
from quorate.core.settings import ModelSettings
from quorate.core.types import ActionArray, FloatArray
from quorate.models.input_checks import Matrix, require_matrix
from quorate.models.pretraining import Pretraining

Task = Literal["class", "return"]

Fitted = TypeVar("Fitted")

# (steps done, total steps)
Progress = Callable[[int, int], None]

Target = ActionArray | FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class StoppingRows:
    """Validation rows for early stopping. They are later than the training rows and share no label with them.

    Attributes:
        X: (V, F) or (V, L, F) float32, finite.
        y: (V,) as for `fit`.
    """

    X: Matrix
    y: Target


@dataclass(frozen=True, slots=True, eq=False)
class FitRequest:
    """The checked arguments of `Model.fit`.

    Attributes:
        X: (B, F) float32; (B, L, F) for a model of windows.
        y: (B,) values of Action, or returns as fractions.
        weight: (B,) sample weights; None for 1 each.
        stopping: rows for early stopping; None to train for as long as the settings say.
        progress: callback during training; its last call at the latest reports the last step.
        checkpoint: file to resume an interrupted training from; None for no checkpoint.
        start: fitted model of the same kind, at whose weights the training begins; None to begin anew.
    """

    X: Matrix
    y: Target
    weight: FloatArray | None = None
    stopping: StoppingRows | None = None
    progress: Progress | None = None
    checkpoint: Path | None = None
    start: Model | None = None


class Model(ABC):
    """One member of the ensemble.

    Class attributes:
        name: its name in the registry.
        suffix: of its own safe file format.
        directional: whether it can learn on which side the price will move; False for models of volatility alone.
        reads: columns that it looks up by name and cannot do without; empty for models of any columns.

    Attributes:
        feature_names: (F,) names of the columns of X, set by `registry.build`; empty where they are not known.

    Args:
        task: "class" scores SELL, HOLD, BUY; "return" predicts the forward return as a fraction.
        settings: of all models; each reads its own section.
        seed: of all random numbers; the same seed gives the same file on the same machine.
        threads: 0 for every core.
    """

    name: ClassVar[str]
    suffix: ClassVar[str]
    directional: ClassVar[bool] = True
    reads: ClassVar[tuple[str, ...]] = ()
    feature_names: tuple[str, ...] = ()

    def __init__(self, task: Task, settings: ModelSettings, *, seed: int, threads: int = 0) -> None:
        attempted = "make a model"
        require_types(
            attempted,
            settings=(settings, Kind((ModelSettings,), "a ModelSettings, as settings.models")),
            seed=(seed, WHOLE),
            threads=(threads, WHOLE),
        )
        if not isinstance(task, str) or task not in get_args(Task):
            raise ModelError(attempted, found=f"the `task` {task!r}", expected=" or ".join(get_args(Task)))
        self.task = task
        self.settings = settings
        self.seed = seed
        self.threads = threads

    @property
    def window(self) -> int:
        """Bars of features that one prediction reads; 1 for models of single rows."""
        return 1

    @property
    def stops_early(self) -> bool:
        """Whether `fit` reads the `stopping` rows; metrics on those rows are then optimistic."""
        return False

    @property
    def slow_fit(self) -> bool:
        """Whether a fit takes so long that it should not be repeated for predictions out of fold."""
        return False

    @property
    def starts_warm(self) -> bool:
        """Whether `fit` can begin at the weights of an earlier model, as its settings are."""
        return False

    @property
    def pretraining(self) -> Pretraining | None:
        """What it learned before `fit`, with weights of others; None for a model that begins anew."""
        return None

    def fit(
        self,
        X: Matrix,
        y: Target,
        *,
        weight: FloatArray | None = None,
        stopping: StoppingRows | None = None,
        progress: Progress | None = None,
        checkpoint: Path | None = None,
        start: Model | None = None,
    ) -> Self:
        """Fit on rows that have every feature and a label. An earlier fit is discarded.

        Args:
            X: (B, F) float32, no NaN; (B, L, F) for a model of windows.
            y: (B,) values of Action for "class", returns as fractions for "return".
            weight: (B,) sample weights, at least 0 and not all 0; None for 1 each.
            stopping: rows for early stopping, after the end of the last label of X; members that do not stop early
                ignore them.
            progress: called during training with (steps done, total steps).
            checkpoint: file in which a member with a long training keeps its state. A later call with the same rows
                resumes from it and gives the same model. Removed at the end.
            start: fitted model of the same name, task, columns and shape, at whose weights the training begins. The
                rows it was fitted on, also those of its early stopping, end before `stopping` and all later rows.

        Raises:
            ModelError: NaN or infinity in X, y or weight, shapes or a `start` that do not fit, or the library's error.
        """
        require_types(
            f"fit {self.name}",
            stopping=(stopping, Kind((StoppingRows,), "stopping rows").optional),
            progress=(progress, FUNCTION.optional),
            checkpoint=(checkpoint, Kind((Path,), "a path").optional),
            start=(start, Kind((Model,), "a fitted model").optional),
        )
        self._require_rows(X, y, weight)
        if stopping is not None:
            self._require_rows(stopping.X, stopping.y, None)
            if stopping.X.shape[1:] != X.shape[1:]:
                shapes = f"X {X.shape}, stopping X {stopping.X.shape}"
                raise ModelError(f"fit {self.name}", found=shapes, expected="rows of one shape")
        if start is not None:
            self._require_start(start, X.shape[-1])
        self._fit(FitRequest(X, y, weight, stopping, progress, checkpoint, start))
        return self

    def predict_proba(self, X: Matrix) -> FloatArray:
        """(B, 3) float64 raw scores in class order, rows summing to 1, for (B, F) float32 rows.

        Raises:
            ModelError: another number of columns than it was fitted on, NaN or infinity, or the task is "return".
        """
        self._require_task("class", "predict_proba")
        return self.output(X)

    def predict(self, X: Matrix) -> FloatArray:
        """(B,) float64 forward returns as fractions, for (B, F) float32 rows.

        Raises:
            ModelError: another number of columns than it was fitted on, NaN or infinity, or the task is "class".
        """
        self._require_task("return", "predict")
        return self.output(X)[:, 0]

    def output(self, X: Matrix) -> FloatArray:
        """The values that the ONNX graph must reproduce: (B, 3) scores or (B, 1) returns.

        Raises:
            ModelError: as for `predict_proba` and `predict`.
        """
        attempted = f"predict with {self.name}"
        require_matrix(X, self._require_fitted(self.columns), attempted, self._axes)
        if self.window > 1 and X.shape[1] != self.window:
            raise ModelError(attempted, found=f"windows of {X.shape[1]} bars", expected=f"{self.window} bars")
        values = np.asarray(self._infer(X), dtype=np.float64)
        width = 3 if self.task == "class" else 1
        if values.shape != (len(X), width) and not (width == 1 and values.shape == (len(X),)):
            raise ModelError(attempted, found=f"an output of shape {values.shape}", expected=f"({len(X)}, {width})")
        return values.reshape(len(X), width)

    @property
    @abstractmethod
    def columns(self) -> int | None:
        """F, the number of features it was fitted on; None before it is fitted or loaded."""

    @abstractmethod
    def _fit(self, request: FitRequest) -> None:
        """`fit` on checked rows."""

    @abstractmethod
    def _infer(self, X: Matrix) -> FloatArray:
        """(B, 3) scores or B returns, for checked rows."""

    @abstractmethod
    def save(self, path: Path) -> None:
        """Write the model in its own safe format: no pickle."""

    @abstractmethod
    def load(self, path: Path) -> Self:
        """Read a file written by `save`.

        Raises:
            ModelError: no such file, another format, or a model of the other task.
        """

    @abstractmethod
    def to_onnx(self) -> bytes:
        """The fitted model as an ONNX graph: input (B, F) float32, last output (B, 3) or (B, 1)."""

    @property
    def _axes(self) -> str:
        return "BF" if self.window == 1 else "BLF"

    def _require_task(self, task: Task, method: str) -> None:
        if self.task != task:
            raise ModelError(
                f"{method} with {self.name}", found=f'a model of the task "{self.task}"', expected=f'the task "{task}"'
            )

    def _require_rows(self, X: Matrix, y: Target, weight: FloatArray | None) -> None:
        """Raise for rows that no member can be fitted on."""
        attempted = f"fit {self.name}"
        require_matrix(X, None, attempted, self._axes)
        numbers = Kind((np.ndarray,), "an array (B,) of numbers")
        require_types(attempted, y=(y, numbers), weight=(weight, numbers.optional))
        for name, values in (("y", y), ("weight", weight)):
            if values is not None and values.dtype.kind not in "iuf":
                raise ModelError(attempted, found=f"`{name}` of {values.dtype}", expected="numbers")
        if self.window > 1 and X.shape[1] != self.window:
            raise ModelError(attempted, found=f"windows of {X.shape[1]} bars", expected=f"{self.window} bars")
        if y.shape != (len(X),) or (weight is not None and weight.shape != (len(X),)):
            shapes = f"X {X.shape}, y {y.shape}" + ("" if weight is None else f", weight {weight.shape}")
            raise ModelError(attempted, found=shapes, expected="X (B, F), y (B,) and weight (B,)")
        if not len(X):
            raise ModelError(attempted, found="no rows", expected="rows with every feature and a label")
        if not np.isfinite(y).all():
            bad = np.flatnonzero(~np.isfinite(y))
            raise ModelError(
                attempted, found=f"{bad.size} labels of NaN or infinity, first {bad[0]}", expected="finite values"
            )
        if self.task == "class" and not np.isin(y, (0, 1, 2)).all():
            raise ModelError(attempted, found=f"labels {np.unique(y)[:5]}", expected="0 SELL, 1 HOLD, 2 BUY")
        if weight is not None and not (np.isfinite(weight).all() and (weight >= 0).all() and weight.any()):
            raise ModelError(
                attempted,
                found=f"weights from {weight.min():g} to {weight.max():g}",
                expected="finite weights of at least 0, not all of them 0",
            )

    def _require_start(self, start: Model, columns: int) -> None:
        """Raise for a model at which the training cannot begin."""
        attempted = f"fit {self.name} from the weights of an earlier model"
        if not self.starts_warm:
            raise ModelError(
                attempted,
                found=f"{self.name}, which begins anew",
                expected="a network whose setting warm_epochs is at least 1",
            )
        names = (self.feature_names, start.feature_names) if self.feature_names and start.feature_names else ((), ())
        kinds = (self.name, self.task, columns, self.window, names[0])
        others = (start.name, start.task, start.columns, start.window, names[1])
        for what, own, other in zip(("model", "task", "width", "window", "columns"), kinds, others, strict=True):
            if own != other:
                raise ModelError(attempted, found=f"the {what} {other!r}", expected=repr(own))

    def _require_fitted(self, fitted: Fitted | None) -> Fitted:
        if fitted is None:
            raise ModelError(f"use {self.name}", found="no fitted model", expected="fit or load first")
        return fitted

    def _require_outputs(self, outputs: int, path: Path) -> None:
        """Raise for a loaded model of the other task, recognised by its number of outputs."""
        expected = 3 if self.task == "class" else 1
        if outputs != expected:
            raise ModelError(
                f"load {path}",
                found=f"a model of {outputs} outputs",
                expected=f'{expected}, as the task "{self.task}" has',
            )
