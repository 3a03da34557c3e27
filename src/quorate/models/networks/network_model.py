"""A network as a member of the ensemble: scaling, training by windows, its file, its graph."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import nn

from quorate.core.errors import ModelError, SettingsError
from quorate.core.settings import NetworkSettings
from quorate.core.types import Action, FloatArray, IntArray
from quorate.models.base import FitRequest, Model, Target
from quorate.models.input_checks import Matrix
from quorate.models.networks.onnx_export import to_graph
from quorate.models.networks.safetensors_file import read_weights, require_tensors, write_weights
from quorate.models.networks.scaling import Answers, Standardised
from quorate.models.networks.training.examples import Examples, WindowExamples, newest_bars
from quorate.models.networks.training.fit import Loss, LossHistory, fit
from quorate.models.networks.training.losses import cross_entropy, focal, squared_error
from quorate.models.networks.training.processor import isolated, training_device

# Windows at once when the network itself predicts.
_PIECE = 256


class Network(Model):
    """A member that is a torch module; a subclass says which by `_module`.

    Class attributes:
        batch: rows at which its ONNX graph is fastest, measured.

    Attributes:
        history: how the last `fit` went; None before, and after loading.
    """

    suffix: ClassVar[str] = ".safetensors"
    batch: ClassVar[int]
    history: LossHistory | None = None
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
    def parameters(self) -> int | None:
        """How many numbers the network learned; None before it is fitted or loaded."""
        return None if self._answers is None else sum(each.numel() for each in self._answers.parameters())

    @property
    def outputs(self) -> int:
        """C, how many values the network gives for a window."""
        return len(Action) if self.task == "class" else 1

    @property
    def _own(self) -> NetworkSettings:
        own: NetworkSettings = getattr(self.settings, self.name)
        return own

    def _learn(self, lesson: FitRequest) -> None:
        rows = np.arange(len(lesson.X)) if lesson.weight is None else np.flatnonzero(lesson.weight > 0)
        weight = None if lesson.weight is None else np.asarray(lesson.weight, np.float64)
        if weight is not None:
            # A mean of 1 over the training rows, so that the learning rate means the same whatever the weights' unit.
            weight = weight / weight[rows].mean()
        answers = self._new(lesson.X.shape[2])
        counted = None if weight is None else weight[rows]
        answers.standardised.measure(newest_bars(lesson.X)[rows], counted, self._own.tail)
        class_weight = np.ones(len(Action))
        if self.task == "class":
            shares = np.bincount(lesson.y[rows].astype(np.intp), weights=counted, minlength=len(Action)) / len(rows)
            if self._own.balanced:
                present = shares > 0
                class_weight = np.divide(1 / present.sum(), shares, out=np.zeros(len(Action)), where=present)
                shares = present / present.sum()
            answers.standardised.start_at(shares)
        else:
            answers.measure(np.asarray(lesson.y, np.float64)[rows], counted)
        examples = self._examples(answers, lesson.X, lesson.y, weight, class_weight, rows)
        later = None
        if lesson.later is not None:
            later = self._examples(answers, lesson.later.X, lesson.later.y, None, class_weight)
        identity: dict[str, str] = {}
        if lesson.checkpoint is not None:
            # Whoever is interrupted goes on with the same rows, or begins anew.
            identity = {"task": self.task, "data": examples.digest(), "later": later.digest() if later else "none"}
        answers.to(training_device(self._own.device))
        self.history = self._train(answers.standardised, examples, later, identity, lesson)
        self._answers, self._columns = answers.cpu().eval(), lesson.X.shape[2]

    def _train(
        self,
        standardised: Standardised,
        examples: WindowExamples,
        later: WindowExamples | None,
        identity: Mapping[str, str],
        lesson: FitRequest,
    ) -> LossHistory:
        """Fit the network in place; what comes before that is the subclass's."""
        return self._fit(standardised, examples, later, self._loss(), identity, lesson)

    def _fit(
        self,
        module: nn.Module,
        examples: Examples,
        later: Examples | None,
        loss: Loss,
        identity: Mapping[str, str],
        lesson: FitRequest,
        *,
        part: str = "",
        epochs: int | None = None,
    ) -> LossHistory:
        """One run of the training loop by the member's own settings: the training itself, or a part before it.

        Args:
            module: what is trained.
            examples: to learn from.
            later: to stop by; None to train to the end.
            loss: of a batch.
            identity: of the rows.
            lesson: whose progress is told and whose checkpoint is kept; a part keeps its own beside it.
            part: what it is called; empty for the training itself.
            epochs: at most; None for the settings'.
        """
        settings, checkpoint = self._own, lesson.checkpoint
        if part and checkpoint is not None:
            checkpoint = checkpoint.with_name(f"{checkpoint.name}.{part.replace('-', '')}")
        return fit(
            module,
            examples,
            later,
            loss,
            settings if epochs is None else replace(settings, epochs=epochs),
            name=f"{self.name}, {part}" if part else self.name,
            seed=self.seed,
            threads=self.threads,
            progress=lesson.progress,
            checkpoint=checkpoint,
            identity=identity,
        )

    def _examples(
        self,
        answers: Answers,
        X: Matrix,
        y: Target,
        weight: FloatArray | None,
        class_weight: FloatArray,
        rows: IntArray | None = None,
    ) -> WindowExamples:
        if self.task == "return":
            return WindowExamples(X, answers.standard(np.asarray(y, np.float64)), weight, rows)
        classes = np.asarray(y, np.int64)
        if self._own.balanced:
            weight = class_weight[classes] * (1.0 if weight is None else weight)
        return WindowExamples(X, torch.from_numpy(classes), weight, rows)

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
            "name": self.name,
            "task": self.task,
            "window": self.window,
            "features": self._columns,
            "settings": asdict(self._own),
        }
        write_weights(path, header, answers.state_dict())

    def load(self, path: Path) -> Self:
        """Read what `save` wrote; the settings become those it was trained with.

        Raises:
            ModelError: no such file, another format, another network, a model of the other task, or other shapes.
        """
        header, tensors = read_weights(path)
        for key, expected in (("name", self.name), ("task", self.task)):
            if header.get(key) != expected:
                raise ModelError(f"load {path}", found=f"the {key} {header.get(key)!r}", expected=repr(expected))
        features = header.get("features")
        if not isinstance(features, int) or features < 1:
            raise ModelError(f"load {path}", found=f"{features} features", expected="at least 1")
        before = self.settings
        try:
            read: dict[str, Any] = {
                key: tuple(v) if isinstance(v, list) else v for key, v in header["settings"].items()
            }
            own: dict[str, Any] = {self.name: type(self._own)(**read)}
            self.settings = replace(before, **own)
            answers = self._new(features)
            require_tensors(tensors, answers.state_dict(), path)
        except (SettingsError, KeyError, TypeError, AttributeError) as error:
            self.settings = before
            raise ModelError(f"load {path}", found=repr(error), expected=f"settings of {self.name}") from error
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
