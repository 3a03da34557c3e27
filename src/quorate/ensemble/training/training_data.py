"""What all members of an ensemble are trained on: rows, labels, how they are parted, and what a new member is like."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from quorate.core.errors import ModelError, QuorateError
from quorate.core.settings import Settings
from quorate.core.types import Candles, FloatArray, IntArray
from quorate.core.version import code_digest, versions
from quorate.ensemble.recipes import Recipe
from quorate.features import FeatureSet, feature_set
from quorate.models import Model, build
from quorate.models.registry import require_known
from quorate.targets import Dataset, Slices, Target, TimeSplit, build_dataset, time_split, validation_slices

# Makes a new, unfitted member.
Maker = Callable[[], Model]


@dataclass(frozen=True, slots=True, eq=False)
class TrainingData:
    """Rows for every member.

    Attributes:
        recipe, settings: that it follows.
        makers: member -> how a new one is made, in order.
        target: what is learned.
        features: what it is learned from.
        dataset: the rows.
        split: training, validation and test rows, in order of time.
        slices: of the validation rows.
        prior: (3,) class shares of the training rows, or (1,) their mean return.
    """

    recipe: Recipe
    settings: Settings
    makers: Mapping[str, Maker]
    target: Target
    features: FeatureSet
    dataset: Dataset
    split: TimeSplit
    slices: Slices
    prior: FloatArray

    @property
    def classes(self) -> bool:
        """Whether members learn classes, to vote; else returns, to be stacked."""
        return self.recipe.task == "class"

    @property
    def stop(self) -> IntArray | None:
        """The rows that members stop early by; None for all validation rows."""
        return self.slices.stop if self.classes else None

    def fingerprint(self) -> str:
        """Of all that a training depends on: an interrupted one goes on only where nothing has changed."""
        dataset, split = self.dataset, self.split
        told = (dataset.symbols, self.features.hash, self.settings, code_digest(), versions())
        digest = hashlib.sha256(repr(told).encode())
        for array in (dataset.inputs.X, dataset.y, dataset.row, split.train, split.validation, split.test):
            digest.update(array.tobytes())
        return digest.hexdigest()[:16]


def lay(
    panel: Mapping[str, Candles],
    recipe: Recipe,
    models: Sequence[str],
    settings: Settings,
    start: int | None,
    end: int | None,
) -> TrainingData:
    """Features and labels of a panel, parted in time.

    Args:
        panel: symbol -> candles; those before `start` only warm the features.
        recipe: what members learn.
        models: registered names, in order.
        settings: of models, target and split.
        start: first bar that may train, ms, inclusive; None for the first there is.
        end: exclusive; None for all.

    Raises:
        ModelError: an unknown or doubled name, or none.
        FeatureError: an unknown feature set, or a column of a user's own that fails a check.
        DataError: no row has every feature and a label.
    """
    _require_models(models)
    makers = {name: _maker(name, recipe, settings) for name in models}
    lead = max(map(_window, makers.values())) - 1
    target = recipe.make_target(settings.target)
    features = feature_set(recipe.features(settings), settings.features)
    first = recipe.first_bar(panel, start, settings)
    dataset = build_dataset(panel, features, target, first, end, lead=lead)
    split = time_split(dataset.time, dataset.span_end, settings.split.train, settings.split.validation)
    slices = validation_slices(dataset.time, dataset.span_end, split.validation, settings.split)
    learned = dataset.y[split.train]
    shares = recipe.task == "class"
    prior = np.bincount(learned, minlength=3) / len(learned) if shares else learned.mean(keepdims=True)
    return TrainingData(recipe, settings, makers, target, features, dataset, split, slices, prior)


def _require_models(models: Sequence[str]) -> None:
    for name in models:
        require_known(name)
    if not models or len(set(models)) < len(models):
        raise ModelError("train the ensemble", found=f"models {', '.join(models) or 'none'}", expected="each once")


def _maker(name: str, recipe: Recipe, settings: Settings) -> Maker:
    own, how = recipe.model_settings(settings), settings.train
    return partial(build, name, recipe.task, own, seed=how.seed, threads=how.threads)


def _window(make: Maker) -> int:
    try:
        return make().window
    except QuorateError:
        return 1  # it fails again in its turn, and the summary says why
