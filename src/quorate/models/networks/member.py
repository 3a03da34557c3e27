"""A network as a member of the ensemble: scaling, training by windows, its file, its graph."""

from __future__ import annotations

import json
import logging
from abc import abstractmethod
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from quorate.core.errors import ModelError, SettingsError
from quorate.core.settings import NetworkSettings
from quorate.core.types import Action, FloatArray
from quorate.models.base import Later, Lesson, Model
from quorate.models.files import read_file
from quorate.models.matrix import Matrix
from quorate.models.networks.examples import WindowExamples, newest_bars
from quorate.models.networks.fit import History, Loss, fit
from quorate.models.networks.graph import to_graph
from quorate.models.networks.losses import cross_entropy, focal, squared_error
from quorate.models.networks.processor import isolated, training_device
from quorate.models.networks.standardised import Answers, Standardised

_FORMAT = "quorate-network-1"

# One key only: the library writes several in no fixed order.
_HEADER = "quorate"

# Windows at once when the network itself predicts.
_PIECE = 256

_log = logging.getLogger(__name__)


class Network(Model):
    """A member that is a torch module; a subclass says which by `_module`.

    Class attributes:
        batch: rows at which its ONNX graph is fastest, measured.

    Attributes:
        history: how the last `fit` went; None before, and after loading.
    """

    suffix: ClassVar[str] = ".safetensors"
    batch: ClassVar[int]
    history: History | None = None
    _answers: Answers | None = None
    _columns: int | None = None

    @abstractmethod
    def _module(self, features: int) -> nn.Module:
        """A new network, (B, L, F) -> (B, `outputs`), as the settings say."""

    @property
    def window(self) -> int:
        return self._own.window

    @property
    def stops_early(self) -> bool:
        return True

    @property
    def columns(self) -> int | None:
        return self._columns

    @property
    def outputs(self) -> int:
        """C, how many values the network gives for a window."""
        return len(Action) if self.task == "class" else 1

    @property
    def _own(self) -> NetworkSettings:
        own: NetworkSettings = getattr(self.settings, self.name)
        return own

    def _learn(self, lesson: Lesson) -> None:
        s, F = self._own, lesson.X.shape[2]
        rows = np.arange(len(lesson.X)) if lesson.weight is None else np.flatnonzero(lesson.weight > 0)
        weight = None if lesson.weight is None else np.asarray(lesson.weight, np.float64)
        answers = self._new(F)
        standardised = answers.standardised
        counted = None if weight is None else weight[rows]
        standardised.measure(newest_bars(lesson.X)[rows], counted, s.tail)
        class_weight = np.ones(len(Action))
        if self.task == "class":
            shares = np.bincount(lesson.y[rows].astype(np.intp), weights=counted, minlength=len(Action))
            if s.balanced:
                class_weight = np.divide(1.0, shares, out=np.zeros(len(Action)), where=shares > 0)
                class_weight *= shares.sum() / (shares > 0).sum()
                shares = (shares > 0).astype(np.float64)
            standardised.start_at(shares / shares.sum())
        else:
            mean = np.average(lesson.y[rows], weights=counted)
            scale = np.sqrt(np.average((lesson.y[rows] - mean) ** 2, weights=counted))
            answers.mean.fill_(float(mean))
            answers.scale.fill_(float(scale) if scale > 0 else 1.0)
        # A mean of 1 over the training rows, so that the learning rate means the same whatever the weights' unit.
        unit = 1.0 if weight is None else float(weight[rows].mean())
        examples = WindowExamples(
            lesson.X, self._target(answers, lesson.y), self._weights(lesson.y, weight, class_weight, unit), rows
        )
        later = None if lesson.later is None else self._later(answers, lesson.later, class_weight)
        identity = {}
        if lesson.checkpoint is not None:
            # Whoever is interrupted goes on with the same rows, or begins anew.
            identity = {"task": self.task, "data": examples.digest(), "later": "" if later is None else later.digest()}
        answers.to(training_device(s.device))
        self.history = fit(
            standardised,
            examples,
            later,
            self._loss(),
            s,
            name=self.name,
            seed=self.seed,
            threads=self.threads,
            progress=lesson.progress,
            checkpoint=lesson.checkpoint,
            identity=identity,
        )
        self._answers, self._columns = answers.cpu().eval(), F

    def _later(self, answers: Answers, later: Later, class_weight: FloatArray) -> WindowExamples:
        return WindowExamples(later.X, self._target(answers, later.y), self._weights(later.y, None, class_weight, 1.0))

    def _target(self, answers: Answers, y: Any) -> Tensor:
        """(B,) classes, or (B, 1) returns in units of the training returns."""
        if self.task == "class":
            return torch.from_numpy(np.asarray(y, np.int64))
        standard = (np.asarray(y, np.float64) - answers.mean.item()) / answers.scale.item()
        return torch.from_numpy(standard.astype(np.float32))[:, None]

    def _weights(self, y: Any, weight: FloatArray | None, class_weight: FloatArray, unit: float) -> FloatArray | None:
        """(B,), None for 1 each."""
        balanced = self.task == "class" and self._own.balanced
        if weight is None and not balanced:
            return None
        rows = np.ones(len(y)) if weight is None else weight / unit
        return rows * class_weight[np.asarray(y, np.intp)] if balanced else rows

    def _loss(self) -> Loss:
        if self.task == "return":
            return squared_error
        return focal(self._own.focal_gamma) if self._own.loss == "focal" else cross_entropy

    def _infer(self, X: Matrix) -> FloatArray:
        answers = self._require_fitted(self._answers)
        found = np.empty((len(X), self.outputs))
        with isolated(self.seed, self.threads), torch.inference_mode():
            for first in range(0, len(X), _PIECE):
                rows = slice(first, first + _PIECE)
                # A copy where X is an array already: torch warns of memory that it may not write to.
                piece = X[np.arange(first, min(first + _PIECE, len(X)))]
                found[rows] = answers(torch.from_numpy(piece)).numpy()
        return found

    def save(self, path: Path) -> None:
        answers = self._require_fitted(self._answers)
        header = {
            "format": _FORMAT,
            "name": self.name,
            "task": self.task,
            "window": self.window,
            "features": self._columns,
            "settings": asdict(self._own),
        }
        tensors = {name: tensor.contiguous() for name, tensor in answers.state_dict().items()}
        path.write_bytes(safetensors.torch.save(tensors, {_HEADER: json.dumps(header, sort_keys=True)}))

    def load(self, path: Path) -> Self:
        """Read what `save` wrote; the settings become those it was trained with.

        Raises:
            ModelError: no such file, another format, another network, a model of the other task, or other shapes.
        """
        content = read_file(path)
        try:
            tensors = safetensors.torch.load(content)
            length = int.from_bytes(content[:8], "little")
            header = json.loads(json.loads(content[8 : 8 + length])["__metadata__"][_HEADER])
            kind, name, task, features = (header[key] for key in ("format", "name", "task", "features"))
            values: dict[str, Any] = {
                key: tuple(v) if isinstance(v, list) else v for key, v in header["settings"].items()
            }
            own: dict[str, Any] = {self.name: type(self._own)(**values)}
            settings = replace(self.settings, **own)
        except (safetensors.SafetensorError, SettingsError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"load {path}", found=repr(error), expected=f"a file of {_FORMAT}") from error
        if kind != _FORMAT or name != self.name:
            raise ModelError(f"load {path}", found=f"{name} in {kind}", expected=f"{self.name} in {_FORMAT}")
        if task != self.task:
            raise ModelError(f"load {path}", found=f'a model of the task "{task}"', expected=f'the task "{self.task}"')
        before, self.settings = self.settings, settings
        try:
            answers = self._new(features)
            _require_tensors(answers, tensors, path)
        except ModelError:
            self.settings = before
            raise
        answers.load_state_dict(tensors)
        self._answers, self._columns, self.history = answers.eval(), features, None
        return self

    def to_onnx(self) -> bytes:
        answers = self._require_fitted(self._answers)
        with isolated(self.seed, self.threads):
            return to_graph(answers, self.window, self._require_fitted(self._columns), self.batch, self.name)

    def _new(self, features: int) -> Answers:
        with isolated(self.seed, self.threads):
            return Answers(Standardised(self._module(features), features, self.outputs), self.task)


def _require_tensors(answers: Answers, tensors: dict[str, Tensor], path: Path) -> None:
    """Refuse tensors that are not the module's own, or hold what no training leaves behind."""
    wanted = {name: tuple(tensor.shape) for name, tensor in answers.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    for name in sorted({*wanted, *found}):
        if wanted.get(name) != found.get(name):
            raise ModelError(
                f"load {path}",
                found=f"{name} of shape {found.get(name, 'none')}",
                expected=f"shape {wanted.get(name, 'none')}",
            )
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise ModelError(f"load {path}", found=f"NaN or infinity in {name}", expected="finite values")
