"""Base class of the neural networks: scaling, training on windows, model file, ONNX graph."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import nn

from quorate.core.errors import ModelError, SettingsError, close_match
from quorate.core.settings import NetworkSettings
from quorate.core.types import Action, FloatArray, IntArray
from quorate.features.catalogue import COLUMNS, window_columns
from quorate.models.base import FitRequest, Model, Progress, Target
from quorate.models.input_checks import Matrix
from quorate.models.networks.onnx_export import to_graph
from quorate.models.networks.operations import operations
from quorate.models.networks.safetensors_file import read_weights, require_tensors, write_weights
from quorate.models.networks.scaling import NewestBar, ScoringNetwork, StandardisedNetwork
from quorate.models.networks.training.examples import Examples, WindowExamples, newest_bars
from quorate.models.networks.training.fit import fit_network
from quorate.models.networks.training.loss_history import LossHistory
from quorate.models.networks.training.losses import Loss, cross_entropy, focal, squared_error
from quorate.models.networks.training.options import TrainingOptions
from quorate.models.networks.training.processor import isolated, training_device
from quorate.models.networks.warm_start import begin_at, warm_settings

# Operations for a training window, of the forward passes over all epochs, above which a fit is slow: about 1 ms.
_SLOW = 2e7
_COLUMNS = 30  # of a feature set whose names are not known

# Windows per forward pass when the torch module predicts.
_PIECE = 256


@dataclass(frozen=True, slots=True)
class TrainingExamples:
    """Examples of one training run, with its progress callback and checkpoint.

    Attributes:
        examples: training examples.
        stopping: validation examples for early stopping; None to train to the end.
        identity: digests of the data, by which a checkpoint is recognised; empty without a checkpoint.
        progress, checkpoint: as in `FitRequest`.
        warm: whether the network begins at earlier weights.
    """

    examples: Examples
    stopping: Examples | None
    identity: Mapping[str, str]
    progress: Progress | None
    checkpoint: Path | None
    warm: bool = False


class Network(Model):
    """A member that is a torch module, built by `_module` of the subclass.

    Class attributes:
        batch: batch size at which its ONNX graph was measured to be fastest, at most.

    Attributes:
        history: losses of the last `fit`; None before it and after loading.
    """

    suffix: ClassVar[str] = ".safetensors"
    batch: ClassVar[int]
    history: LossHistory | None = None
    _fitted: ScoringNetwork | None = None
    _columns: int | None = None

    @abstractmethod
    def _module(self, features: int) -> nn.Module:
        """A new network, (B, L, F) -> (B, `outputs`) or (B, k, `outputs`), with the shape that the settings give."""

    @property
    def window(self) -> int:
        return self._own.window

    @property
    def stops_early(self) -> bool:
        return self._own.keep == "best" or self._own.patience < self._own.epochs

    @property
    def starts_warm(self) -> bool:
        return self._own.warm_epochs > 0

    @property
    def slow_fit(self) -> bool:
        columns = len(self.feature_names) or _COLUMNS
        network = self._new(self._reads(columns), columns).standardised
        return operations(network, self.window, columns) * self._own.epochs * self._own.share > _SLOW

    @property
    def columns(self) -> int | None:
        return self._columns

    @property
    def parameters(self) -> int | None:
        """Number of trained parameters; None before it is fitted or loaded."""
        return None if self._fitted is None else sum(tensor.numel() for tensor in self._fitted.parameters())

    @property
    def outputs(self) -> int:
        """C, the number of values that the network gives for a window."""
        return len(Action) if self.task == "class" else 1

    def _graph_rows(self, fitted: ScoringNetwork) -> int:  # noqa: ARG002 - a subclass reads the shape
        """Batch size at which the ONNX graph is fastest."""
        return self.batch

    def _predicting(self, fitted: ScoringNetwork) -> nn.Module:
        """The network that predicts; a subclass may compute with more digits."""
        return fitted

    def _served(self, fitted: ScoringNetwork) -> nn.Module:
        """The network that is exported, with the outputs of the one that predicts; a subclass may fold its weights."""
        return self._predicting(fitted)

    @property
    def _own(self) -> NetworkSettings:
        own: NetworkSettings = getattr(self.settings, self.name)
        return own

    def _fit(self, request: FitRequest) -> None:
        rows = np.arange(len(request.X)) if request.weight is None else np.flatnonzero(request.weight > 0)
        weight = None if request.weight is None else np.asarray(request.weight, np.float64)
        if weight is not None:
            # A mean of 1 over the training rows, so that the scale of the weights does not change the learning rate.
            weight = weight / weight[rows].mean()
        features = request.X.shape[2]
        scoring = self._new(self._reads(features), features)
        row_weight = None if weight is None else weight[rows]
        scoring.standardised.measure(newest_bars(request.X)[rows], row_weight, self._own.tail)
        class_weight = np.ones(len(Action))
        if self.task == "class":
            shares = np.bincount(request.y[rows].astype(np.intp), weights=row_weight, minlength=len(Action)) / len(rows)
            if self._own.balanced:
                present = shares > 0
                class_weight = np.divide(1 / present.sum(), shares, out=np.zeros(len(Action)), where=present)
                shares = present / present.sum()
            scoring.standardised.start_at(shares)
        else:
            scoring.measure(np.asarray(request.y, np.float64)[rows], row_weight)
        identity: dict[str, str] = {}
        start = request.start
        if isinstance(start, Network):
            identity["start"] = begin_at(scoring, start._require_fitted(start._fitted), self.name)
        examples = self._examples(scoring, request.X, request.y, weight, class_weight, rows)
        stopping = None
        if request.stopping is not None:
            stopping = self._examples(scoring, request.stopping.X, request.stopping.y, None, class_weight)
        if request.checkpoint is not None:
            identity |= {
                "task": self.task,
                "data": examples.digest(),
                "stopping": stopping.digest() if stopping else "none",
            }
        scoring.to(training_device(self._own.device))
        data = TrainingExamples(examples, stopping, identity, request.progress, request.checkpoint, start is not None)
        self.history = self._train(scoring.standardised, data)
        self._fitted, self._columns = scoring.cpu().eval(), features

    def _train(self, network: StandardisedNetwork, data: TrainingExamples) -> LossHistory:
        """Train the network in place; a subclass may add phases before it."""
        return self._run(network, data, self._loss())

    def _run(
        self, module: nn.Module, data: TrainingExamples, loss: Loss, *, phase: str = "", epochs: int | None = None
    ) -> LossHistory:
        """Run the training loop with the member's settings.

        Args:
            module: to train, in place.
            data: the examples; a phase has a checkpoint file of its own beside `data.checkpoint`.
            loss: of a batch.
            phase: name of a phase before the training itself, such as "pre-training".
            epochs: at most; None for those of the settings.
        """
        settings, checkpoint = warm_settings(self._own) if data.warm else self._own, data.checkpoint
        if phase and checkpoint is not None:
            checkpoint = checkpoint.with_name(f"{checkpoint.name}.{phase.replace('-', '')}")
        options = TrainingOptions(
            settings if epochs is None else replace(settings, epochs=epochs),
            name=f"{self.name}, {phase}" if phase else self.name,
            seed=self.seed,
            threads=self.threads,
            progress=data.progress,
            checkpoint=checkpoint,
            identity=data.identity,
        )
        return fit_network(module, data.examples, data.stopping, loss, options)

    def _examples(
        self,
        scoring: ScoringNetwork,
        X: Matrix,
        y: Target,
        weight: FloatArray | None,
        class_weight: FloatArray,
        rows: IntArray | None = None,
    ) -> WindowExamples:
        if self.task == "return":
            return WindowExamples(X, scoring.standardise(np.asarray(y, np.float64)), weight, rows)
        classes = np.asarray(y, np.int64)
        if self._own.balanced:
            weight = class_weight[classes] * (1.0 if weight is None else weight)
        return WindowExamples(X, torch.from_numpy(classes), weight, rows)

    def _loss(self) -> Loss:
        if self.task == "return":
            return squared_error
        return focal(self._own.focal_gamma) if self._own.loss == "focal" else cross_entropy

    def _infer(self, X: Matrix) -> FloatArray:
        network = self._predicting(self._require_fitted(self._fitted))
        outputs = np.empty((len(X), self.outputs))
        with isolated(self.seed, self.threads), torch.inference_mode():
            for first in range(0, len(X), _PIECE):
                rows = slice(first, first + _PIECE)
                # Indexed by an array, X gives a copy: torch warns of read-only memory.
                piece = X[np.arange(first, min(first + _PIECE, len(X)))]
                outputs[rows] = network(torch.from_numpy(piece)).numpy()
        return outputs

    def save(self, path: Path) -> None:
        fitted = self._require_fitted(self._fitted)
        header = {
            "name": self.name,
            "task": self.task,
            "window": self.window,
            "features": self._columns,
            "reads": fitted.standardised.reads,
            "settings": asdict(self._own),
        }
        write_weights(path, header, fitted.state_dict())

    def load(self, path: Path) -> Self:
        """Read a file written by `save`; the settings become those it was trained with.

        Raises:
            ModelError: no such file, another format, another network, a model of the other task, or other shapes.
        """
        header, tensors = read_weights(path)
        for key, expected in (("name", self.name), ("task", self.task)):
            if header.get(key) != expected:
                raise ModelError(f"load {path}", found=f"the {key} {header.get(key)!r}", expected=repr(expected))
        features, reads = header.get("features"), header.get("reads")
        if not isinstance(features, int) or features < 1:
            raise ModelError(f"load {path}", found=f"{features} features", expected="at least 1")
        if not (isinstance(reads, list) and reads and reads == [place for place in range(features) if place in reads]):
            expected = f"places of some of {features} columns, ascending"
            raise ModelError(f"load {path}", found=f"the columns {reads!r}", expected=expected)
        before = self.settings
        try:
            read: dict[str, Any] = {
                key: tuple(v) if isinstance(v, list) else v for key, v in header["settings"].items()
            }
            own: dict[str, Any] = {self.name: type(self._own)(**read)}
            self.settings = replace(before, **own)
            scoring = self._new(reads, features)
            require_tensors(tensors, scoring.state_dict(), path)
        except (SettingsError, KeyError, TypeError, AttributeError) as error:
            self.settings = before
            raise ModelError(f"load {path}", found=repr(error), expected=f"settings of {self.name}") from error
        except ModelError:
            self.settings = before
            raise
        scoring.load_state_dict(tensors)
        self._fitted, self._columns, self.history = scoring.eval(), features, None
        return self

    def to_onnx(self) -> bytes:
        fitted = self._require_fitted(self._fitted)
        with isolated(self.seed, self.threads):
            served, columns = self._served(fitted), self._require_fitted(self._columns)
            return to_graph(served, self.window, columns, self._graph_rows(fitted), self.name)

    def _reads(self, features: int) -> tuple[int, ...]:
        """Places of the columns whose window is read, ascending.

        Raises:
            ModelError: a column of the settings that is neither in the feature set nor in the catalogue.
        """
        names, wanted = self.feature_names, self._own.columns
        if not names:
            return tuple(range(features))
        for name in wanted:
            if name not in names and name not in COLUMNS:
                raise ModelError(
                    f"fit {self.name}",
                    found=f"the column {name!r} in models.{self.name}.columns",
                    expected="columns of the feature set or of the catalogue",
                    remedy=close_match(name, (*names, *COLUMNS)),
                )
        # A feature set with none of them is read as if none were named.
        return tuple(place for place, name in enumerate(names) if name in wanted) or window_columns(names)

    def _new(self, reads: Sequence[int], features: int) -> ScoringNetwork:
        width = self._own.newest_width
        with isolated(self.seed, self.threads):
            newest = NewestBar(features, width, self.outputs) if width else None
            network = StandardisedNetwork(self._module(len(reads)), reads, self.outputs, newest)
            return ScoringNetwork(network, self.task)
