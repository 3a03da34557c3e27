"""Training data of an ensemble: rows, labels, their split, and factories of the members."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from quorate.core.clock import timeframe_ms
from quorate.core.errors import FeatureError, MissingExtraError, ModelError, QuorateError
from quorate.core.progress import Progress, silent
from quorate.core.settings import ModelSettings, Settings
from quorate.core.types import Candles, FloatArray, IntArray
from quorate.core.version import code_digest, versions
from quorate.ensemble.column_choice import CandidateRows, ChooseColumns, ColumnChoice, no_choice, without_refits
from quorate.ensemble.recipes import Recipe
from quorate.ensemble.stack.expanding_folds import embargo_ms
from quorate.features import FeatureSet, feature_set
from quorate.features.column import AUTO, list_name
from quorate.models import Model, build
from quorate.models.own_models import own_sources
from quorate.models.registry import model_class, require_known
from quorate.targets import Dataset, Slices, Target, TimeSplit, build_dataset, time_split, validation_slices

# Makes an unfitted member.
Maker = Callable[[], Model]


@dataclass(frozen=True, slots=True, eq=False)
class TrainingData:
    """Rows for all members.

    Attributes:
        recipe, settings: of the training.
        makers: member -> factory of unfitted models, in order.
        target: of the labels.
        features: feature set.
        dataset: the rows.
        split: training, validation and test rows, in order of time.
        slices: of the validation rows.
        prior: (3,) class shares or (1,) mean return of the training rows.
        choice: how the columns of the feature set were chosen; None for a set by name.
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
    choice: ColumnChoice | None = None

    @property
    def classes(self) -> bool:
        """Whether members predict classes and vote; else they predict returns and are stacked."""
        return self.recipe.task == "class"

    @property
    def before_choice(self) -> IntArray:
        """Row numbers before the choosing slice: what is fitted out of fold shares no row with what confirms it."""
        return np.concatenate([self.split.train, self.slices.stop, self.slices.calibrate])

    @property
    def embargo_ms(self) -> int:
        """Embargo after a label's end in ms."""
        bar_ms = timeframe_ms(self.dataset.inputs.timeframe)
        return embargo_ms(self.settings.split.embargo_bars, self.target.horizon, bar_ms)

    @property
    def headed(self) -> bool:
        """Whether members have a head that shrinks their direction."""
        return self.classes and self.settings.train.head == "move"

    @property
    def stop(self) -> IntArray | None:
        """Row numbers for early stopping; None for all validation rows."""
        return self.slices.stop if self.classes else None

    @property
    def fitted_until(self) -> int:
        """Open time in ms of the last bar whose close is read by a label that members are fitted on, or stopped by."""
        stop = self.split.validation if self.stop is None else self.stop
        return self._last_read(np.concatenate([self.split.train, stop]))

    @property
    def used_until(self) -> int:
        """The same of every label but those of the test part, by which nothing is fitted or chosen."""
        return self._last_read(np.concatenate([self.split.train, self.split.validation]))

    def _last_read(self, rows: IntArray) -> int:
        return int(self.dataset.span_end[rows].max())

    def versions(self) -> dict[str, str]:
        """Versions of the libraries, and the SHA-256 of each file with models of the user's own."""
        return {**versions(), **own_sources(self.makers, self.recipe.model_settings(self.settings))}

    def fingerprint(self) -> str:
        """Hash of everything that a training depends on: an interrupted training is resumed only if it is the same."""
        dataset, split = self.dataset, self.split
        settings = replace(self.settings, train=replace(self.settings.train, workers=0))  # changes nothing
        inputs = (dataset.symbols, self.features.hash, settings, code_digest(), self.versions())
        digest = hashlib.sha256(repr(inputs).encode())
        for array in (dataset.inputs.X, dataset.y, dataset.row, split.train, split.validation, split.test):
            digest.update(array.tobytes())
        return digest.hexdigest()[:16]


def prepare_training_data(
    panel: Mapping[str, Candles],
    recipe: Recipe,
    models: Sequence[str],
    settings: Settings,
    start: int | None,
    end: int | None,
    choose: ChooseColumns = no_choice,
    progress: Progress = silent,
) -> TrainingData:
    """Compute features and labels of a panel and split them in time.

    The feature set "auto" is chosen from the columns of `auto_features.candidates`, on the training part alone. The
    rows are those with all candidates, and no member is fitted again out of fold.

    Args:
        panel: symbol -> candles; those before `start` are only used to warm up features.
        recipe: kind of ensemble.
        models: registered names, in order.
        settings: of models, target and split.
        start: open time of the first training bar, ms, inclusive; None for the first candle.
        end: exclusive, ms; None for all candles.
        choose: chooses columns, where the feature set is "auto".
        progress: of the choice.

    Raises:
        ModelError: a name is unknown or repeated, or there is none.
        FeatureError: unknown feature set, or a user-defined column fails a check.
        DataError: no row has all features and a label.
    """
    _require_models(models, recipe.model_settings(settings))
    wanted = recipe.features(settings)
    chosen = wanted == AUTO
    if chosen and recipe.task == "return":
        raise FeatureError(
            "choose the columns of a stack",
            found='stack.features = "auto"',
            expected="a feature set by name: a stack is fitted on predictions of the rows that would choose",
            remedy="Take the columns that a vote chose: quorate bundle show prints them.",
        )
    features = feature_set(settings.auto_features.candidates if chosen else wanted, settings.features)
    makers = {name: _maker(name, recipe, settings, features) for name in models}
    lead = max(map(_window, makers.values())) - 1
    target = recipe.make_target(settings.target)
    first = recipe.first_bar(panel, start, settings)
    dataset = build_dataset(panel, features, target, first, end, lead=lead)
    split = time_split(dataset.time, dataset.span_end, settings.split.train, settings.split.validation)
    slices = validation_slices(dataset.time, dataset.span_end, split.validation, settings.split)
    choice = None
    if chosen:
        embargo = embargo_ms(settings.split.embargo_bars, target.horizon, timeframe_ms(dataset.inputs.timeframe))
        required = required_columns(models, recipe.model_settings(settings))
        choice = choose(_candidates(dataset, split.train, features, embargo, required), progress)
        settings = without_refits(settings)
        if choice.columns != features.names:
            places = [features.names.index(name) for name in choice.columns]
            features = feature_set(list_name(choice.columns), settings.features)
            dataset = dataset.with_columns(places, features.name)
            makers = {name: _maker(name, recipe, settings, features) for name in models}
    y, classes = dataset.y[split.train], recipe.task == "class"
    prior = np.bincount(y, minlength=3) / len(y) if classes else y.mean(keepdims=True)
    return TrainingData(recipe, settings, makers, target, features, dataset, split, slices, prior, choice)


def required_columns(models: Sequence[str], settings: ModelSettings) -> frozenset[str]:
    """Columns that members look up by name and cannot do without.

    Args:
        models: registered names; what a member that cannot be loaded reads is not known.
        settings: of the models.
    """
    found: set[str] = set()
    for name in models:
        with suppress(MissingExtraError):  # it is reported when the member is trained
            found |= set(model_class(name, settings).reads)
    return frozenset(found)


def _candidates(
    dataset: Dataset, rows: IntArray, features: FeatureSet, embargo: int, required: frozenset[str]
) -> CandidateRows:
    return CandidateRows(
        columns=features.names,
        X=dataset.inputs.X[dataset.row[rows]],
        y=dataset.y[rows],
        time=dataset.time[rows],
        span_end=dataset.span_end[rows],
        symbol=dataset.symbol[rows],
        embargo_ms=embargo,
        required=required,
    )


def _require_models(models: Sequence[str], settings: ModelSettings) -> None:
    for name in models:
        require_known(name, settings)
    if not models or len(set(models)) < len(models):
        raise ModelError(
            "train the ensemble", found=f"models {', '.join(models) or 'none'}", expected="at least one name, each once"
        )


def _maker(name: str, recipe: Recipe, settings: Settings, features: FeatureSet) -> Maker:
    models, train = recipe.model_settings(settings), settings.train
    return partial(build, name, recipe.task, models, seed=train.seed, threads=train.threads, features=features.names)


def _window(make: Maker) -> int:
    try:
        return make().window
    except QuorateError:
        return 1  # making it fails again when it is trained, and is reported then
