"""Base class of members whose network is pretrained, and which learn a small head on its forecasts.

A forecast of prices knows neither the horizon nor the band of the labels, so its probabilities beyond a band are not
used as they are: a linear head, fitted on the training rows as every member is, maps what was forecast to scores. The
network itself is never fitted, and its weights become part of the exported graph.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from quorate.core.errors import ModelError, QuorateError
from quorate.core.sections.pretrained import PretrainedSettings
from quorate.core.settings import LogisticSettings
from quorate.core.types import Float32Array, FloatArray, IntArray
from quorate.core.untrusted_json import MISSHAPEN, parse_json
from quorate.models.base import FitRequest, Model
from quorate.models.input_checks import Matrix
from quorate.models.linear.logistic import Coefficients, Logistic
from quorate.models.model_files import finite_array, read_file, write_file
from quorate.models.pretraining import Pretraining

_FORMAT = "quorate-pretrained-1"

# Passes through the network between two reports of progress.
_PASSES = 16

# Settings that a fitted member has the shape of: they are in its file.
_SHAPE = ("context", "steps")


class PretrainedModel(Model):
    """A member with a pretrained network. A subclass names it, and says what it is and where its weights are.

    Its settings are a `PretrainedSettings` in the section of its name, if there is one.
    """

    suffix: ClassVar[str] = ".json"
    reads: ClassVar[tuple[str, ...]] = ("price_change",)
    _head: Coefficients | None = None
    _columns: int | None = None
    _place: int = 0
    _network: Any = None
    _loaded: PretrainedSettings | None = None

    @abstractmethod
    def _load_network(self, context: int) -> Any:
        """The network as a torch module, see `forecast_scores.ForecastNetwork`. Nothing is downloaded.

        Raises:
            MissingExtraError: its library is not installed.
            ModelError: weights that are missing or of another network.
        """

    @property
    @abstractmethod
    def pretraining(self) -> Pretraining:
        """What the weights are, and how far their data may reach."""

    @property
    def own(self) -> PretrainedSettings:
        """The member's section of the settings, or the defaults without one; of a loaded member, with its shape."""
        if self._loaded is not None:
            return self._loaded
        if not self.settings.has_section(self.name):
            return PretrainedSettings()
        found: PretrainedSettings = self.settings.section(self.name)
        return found

    @property
    def window(self) -> int:
        return self.own.context

    @property
    def columns(self) -> int | None:
        return self._columns

    @property
    def slow_fit(self) -> bool:
        """True: what is fitted is small, but every forecast costs tens of milliseconds."""
        return True

    def _fit(self, request: FitRequest) -> None:
        place = self._find_place(request.X.shape[2])
        used = np.arange(len(request.X)) if request.weight is None else np.flatnonzero(request.weight > 0)
        rows = _evenly(used, self.own.rows)
        weight = None if request.weight is None else np.asarray(request.weight)[rows]
        inputs = self._inputs(place, request.X, rows, request.progress)
        self._head = self._fit_head(inputs, np.asarray(request.y)[rows], weight)
        self._place, self._columns = place, request.X.shape[2]

    def _find_place(self, columns: int) -> int:
        """Number of the column of the bars' returns.

        Raises:
            ModelError: it is missing, or the names of the columns are not known.
        """
        names, (wanted,) = self.feature_names, self.reads
        if wanted not in names or len(names) != columns:
            raise ModelError(
                f"fit {self.name}",
                found=f"no column {wanted}" if names else "columns without names",
                expected=f"the column {wanted}, of which prices are made",
                remedy='Set train.features = "core30", or pass `features` to `quorate.models.build`.',
            )
        return names.index(wanted)

    def _inputs(
        self, place: int, X: Matrix, rows: IntArray, progress: Callable[[int, int], None] | None
    ) -> Float32Array:
        """(R, 3S) what the head reads at some rows."""
        from quorate.models.networks.training.processor import isolated
        from quorate.models.pretrained.forecast_scores import ForecastInputs, in_pieces

        found: list[FloatArray] = []
        with isolated(self.seed, self.threads):
            network = self._the_network()
            module, size = ForecastInputs(network, place, self.own.steps), _PASSES * network.batch
            for first in range(0, len(rows), size):
                found.append(in_pieces(module, X[rows[first : first + size]], network.batch))
                if progress is not None:
                    progress(min(first + size, len(rows)), len(rows))
        return np.concatenate(found).astype(np.float32)

    def _fit_head(self, inputs: Float32Array, y: Any, weight: FloatArray | None) -> Coefficients:
        settings = replace(self.settings, logistic=LogisticSettings(l2=self.own.l2, tail=self.own.tail))
        head = Logistic(self.task, settings, seed=self.seed, threads=self.threads)
        return head.fit(inputs, y, weight=weight).coefficients

    def _the_network(self) -> Any:
        if self._network is None or self._network.context != self.own.context:
            self._network = self._load_network(self.own.context)
        return self._network

    def _module(self) -> Any:
        from quorate.models.pretrained.forecast_scores import ForecastInputs, ForecastScores

        head = self._require_fitted(self._head)
        inputs = ForecastInputs(self._the_network(), self._place, self.own.steps)
        return ForecastScores(inputs, head, self.task).eval()

    def _infer(self, X: Matrix) -> FloatArray:
        from quorate.models.networks.training.processor import isolated
        from quorate.models.pretrained.forecast_scores import in_pieces

        if not len(X):
            return np.empty((0, 3 if self.task == "class" else 1))
        with isolated(self.seed, self.threads):
            return in_pieces(self._module(), X, self._the_network().batch)

    def save(self, path: Path) -> None:
        head = self._require_fitted(self._head)
        own = asdict(self.own)
        tree: dict[str, Any] = {"format": _FORMAT, "model": self.name, "task": self.task}
        tree |= {"columns": self._columns, "place": self._place, "settings": {key: own[key] for key in _SHAPE}}
        tree |= {"pretraining": self.pretraining.to_json()}
        tree |= {"head": {name: array.tolist() for name, array in asdict(head).items()}}
        write_file(path, (json.dumps(tree, allow_nan=False) + "\n").encode())

    def load(self, path: Path) -> Self:
        """Read a file written by `save`; the network's own weights must be here, unchanged.

        Raises:
            ModelError: no such file, another format, a model of the other task, or other weights.
            MissingExtraError: the library of the network is not installed.
        """
        content = read_file(path)
        try:
            tree = parse_json(content)
            found = (tree["format"], tree["model"], tree["task"])
            columns, place, read = int(tree["columns"]), int(tree["place"]), tree["head"]
            head = Coefficients(**{field.name: finite_array(read[field.name]) for field in fields(Coefficients)})
            digest = Pretraining.from_json(tree["pretraining"]).digest
            context, steps = tree["settings"]["context"], tuple(map(int, tree["settings"]["steps"]))
            loaded = replace(self.own, context=int(context), steps=steps)
            outputs = 3 if tree["task"] == "class" else 1
            _require_shapes(head, 3 * len(steps), outputs, place, columns)
        except (*MISSHAPEN, QuorateError) as error:
            raise ModelError(f"load {path}", found=repr(error), expected=f"a file of {_FORMAT}") from error
        if found != (_FORMAT, self.name, self.task):
            raise ModelError(f"load {path}", found=repr(found), expected=repr((_FORMAT, self.name, self.task)))
        own = self.pretraining.digest
        if digest != own:
            raise ModelError(
                f"load {path}",
                found=f"weights of SHA-256 {own[:16]}",
                expected=f"{digest[:16]}, on whose forecasts the head was fitted",
                remedy=f"Install the version of {self.pretraining.name} that it was trained with, or train it again.",
            )
        self._loaded = loaded
        self._head, self._columns, self._place = head, columns, place
        return self

    def to_onnx(self) -> bytes:
        from quorate.models.networks.onnx_export import to_graph
        from quorate.models.networks.training.processor import isolated

        module, columns = self._module(), self._require_fitted(self._columns)
        with isolated(self.seed, self.threads):
            return to_graph(module, self.window, columns, self._the_network().batch, self.name)


def _evenly(rows: IntArray, most: int) -> IntArray:
    """At most so many of the rows, evenly spaced, the last among them."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).round().astype(np.intp)]


def _require_shapes(head: Coefficients, inputs: int, outputs: int, place: int, columns: int) -> None:
    """Raise ValueError for a head of another shape, or a column that there is not."""
    shapes = {field.name: getattr(head, field.name).shape for field in fields(Coefficients)}
    wanted = dict.fromkeys(("low", "high", "mean", "scale"), (inputs,))
    if shapes != {**wanted, "weights": (inputs, outputs), "intercept": (outputs,)} or not (head.scale > 0).all():
        raise ValueError(f"arrays of {shapes}")
    if not 0 <= place < columns:
        raise ValueError(f"column {place} of {columns}")
