"""One model in one fold: fitted again out of fold, fitted on the fold's training rows, and its scores of later rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np

from quorate.core.errors import QuorateError
from quorate.core.machine.worker import Report
from quorate.core.progress import Progress
from quorate.core.settings import Settings
from quorate.core.types import CLASS_NAMES, Float32Array, FloatArray, IntArray
from quorate.ensemble.stack.expanding_folds import embargo_ms
from quorate.ensemble.training.expected_time import FitSize, fit_size
from quorate.ensemble.training.move_heads import MemberHead, fit_heads, with_earlier_heads
from quorate.ensemble.training.out_of_fold import RefittedScores, fits_again, score_out_of_fold
from quorate.evaluation.walk_forward.fold_rows import FoldRows
from quorate.evaluation.walk_forward.labelled_bars import LabelledBars
from quorate.evaluation.walk_forward.walk_result import Fit
from quorate.features import Sequences
from quorate.models import Model, StoppingRows
from quorate.models.model_files import load_bytes, native_bytes
from quorate.models.move_head import shrink_direction
from quorate.targets import Slices, training_slices

# Model name -> a new, unfitted model.
Builder = Callable[[str], Model]


class Examination(Protocol):
    """Looks at every fitted model before it is discarded, such as for its permutation importance."""

    def rows(self, fold: FoldRows, name: str) -> int:
        """About how many rows are scored for that, by which its time is estimated."""

    def measure(self, fold: FoldRows, name: str, model: Model) -> Any:
        """What is found, in the process that fitted the model; it is pickled."""

    def add(self, name: str, found: Any) -> None:
        """Take what was found, in order of the folds."""


class FitKey(NamedTuple):
    """A model in a fold, whose number counts from 0."""

    fold: int
    name: str

    def __str__(self) -> str:
        return f"{self.name} in fold {self.fold + 1}"


@dataclass(frozen=True, slots=True, eq=False)
class FoldParts:
    """Row numbers of the parts of a fold.

    Attributes:
        fold: the fold.
        train: (a,) training rows.
        slices: the later training rows, for early stopping, calibration and the choice of a policy.
        scored: (b,) the last two of these and the test rows.
    """

    fold: FoldRows
    train: IntArray
    slices: Slices
    scored: IntArray

    @classmethod
    def of(cls, fold: FoldRows, rows: LabelledBars, settings: Settings) -> FoldParts:
        """The parts of a fold by the settings of the split."""
        train, slices = training_slices(rows.time, rows.span_end, fold.train, settings.split)
        return cls(fold, train, slices, np.concatenate([slices.calibrate, slices.choose, fold.test]))

    @property
    def before_choice(self) -> IntArray:
        """Row numbers on which members are fitted again out of fold."""
        return np.concatenate([self.train, self.slices.stop, self.slices.calibrate])


@dataclass(frozen=True, slots=True, eq=False)
class FittedModel:
    """What is kept of a model that was fitted in a fold.

    Attributes:
        fit: outcome.
        scores: (b, 3) of the scored rows, with the move head if one is set; None if the fit failed.
        refitted: (c, 3) scores out of fold, with the heads of earlier stretches if heads are set; None for baselines,
            and where `left_out` says why.
        left_out: why a member was not fitted again; empty if it was.
        direction: how the factor of the head was fitted, JSON-safe.
        examined: what the examination found.
        content: the model's file, where a later fold may begin at its weights.
    """

    fit: Fit
    scores: FloatArray | None = None
    refitted: FloatArray | None = None
    left_out: str = ""
    direction: Mapping[str, Any] | None = None
    examined: Any = None
    content: bytes | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FoldFits:
    """Fits models in folds; called for each of them, in any process and in any order.

    Attributes:
        rows: features and labels of every bar.
        parts: of each fold.
        names: all models, members first.
        members: those that vote.
        settings: of split, policy and training.
        build: makes unfitted models.
        examination: of the fitted models; None for none.
        slow: models that are not fitted again where only fast ones are.
        columns: of each fold, that members are fitted on; empty for the whole feature set.
    """

    rows: LabelledBars
    parts: tuple[FoldParts, ...]
    names: tuple[str, ...]
    members: tuple[str, ...]
    settings: Settings
    build: Builder
    examination: Examination | None
    slow: frozenset[str] = frozenset()
    columns: tuple[tuple[str, ...], ...] = ()

    def make(self, name: str, fold: int) -> Model:
        """A new model for a fold: members read the columns that are chosen there."""
        model = self.build(name)
        if self.columns and name in self.members:
            model.feature_names = self.columns[fold]
        return model

    def __call__(self, key: FitKey, start: bytes | None, report: Report) -> FittedModel:
        """Fit a model in a fold. An error of the model is its outcome, not raised.

        Args:
            key: the model and the fold.
            start: file of the model of an earlier fold at whose weights the training begins; None to begin anew.
            report: called with the key, the share of it that is done, and the arguments of a progress callback.
        """
        parts, name, rows = self.parts[key.fold], key.name, self.rows
        place, number = f"fold {key.fold + 1}/{len(self.parts)}", self.names.index(name) + 1
        stage = f"{place}, {name} ({number}/{len(self.names)})"
        refitted: RefittedScores | None = None
        table: FloatArray | None = None

        size = self.size(key, warm=start is not None)

        def again(about: str, done: int, total: int) -> None:
            report(key, size.again * done / max(total, 1) / size.whole, f"{place}, {about}", done, total)

        def fitting(done: int, total: int) -> None:
            share = (size.again + size.fitted * done / max(total, 1)) / size.whole
            report(key, share, stage, done, total)

        if name in self.members:
            refitted = self.out_of_fold(parts, name, again)
        headed = refitted is not None and self.settings.train.head == "move"
        if refitted is not None:
            table = (with_earlier_heads(refitted, rows) if headed else refitted).scores.get(name)
        left_out = "" if refitted is None else refitted.left_out.get(name, "")
        began, direction = time.perf_counter(), None
        try:
            model = self.make(name, key.fold)
            earlier = None if start is None else load_bytes(self.make(name, key.fold), start)
            _fit(model, rows, parts.train, parts.slices.stop, fitting, earlier)
            scores = _scores(model, rows, parts.scored)
            if refitted is not None and headed:
                head = MemberHead(fit_heads(refitted, rows).get(name), parts.slices.calibrate)
                fitted = head.fit((parts.scored, scores), rows)
                scores, direction = shrink_direction(scores, fitted.factor), fitted.to_json()
        except QuorateError as error:
            report(key, 1.0, f"{stage} abstains", 1, 1)
            failed = Fit(time.perf_counter() - began, str(error))
            return FittedModel(failed, refitted=table, left_out=left_out)
        fit = Fit(time.perf_counter() - began, directional=model.directional)
        examined = None if self.examination is None else self.examination.measure(parts.fold, name, model)
        content = native_bytes(model) if model.starts_warm else None
        return FittedModel(fit, scores, table, left_out, direction, examined, content)

    def size(self, key: FitKey, *, warm: bool) -> FitSize:
        """Size of what is done for a key, by which its time is estimated."""
        parts, name = self.parts[key.fold], key.name
        return fit_size(
            name,
            self.settings,
            rows=len(parts.train),
            before_choice=len(parts.before_choice),
            scored=len(parts.scored),
            examined=0 if self.examination is None else self.examination.rows(parts.fold, name),
            refitted=name in self.members and fits_again(self.settings.policy, lambda: name in self.slow),
            warm=warm,
        )

    def out_of_fold(self, parts: FoldParts, name: str | None, progress: Progress) -> RefittedScores:
        """Scores of one member out of fold; without a name, the rows alone."""
        rows, settings = self.rows, self.settings
        return score_out_of_fold(
            {} if name is None else {name: partial(self.make, name, self.parts.index(parts))},
            rows,
            partial(_read, rows),
            parts.before_choice,
            settings,
            embargo_ms(settings.split.embargo_bars, settings.target.horizon, rows.bar_ms),
            progress,
        )


def _fit(
    model: Model,
    rows: LabelledBars,
    train: IntArray,
    stop: IntArray,
    progress: Callable[[int, int], None],
    start: Model | None,
) -> None:
    """Fit a model on training rows; a model with early stopping monitors the loss on the later stopping rows."""
    later = None
    if model.stops_early:
        stop_X, stop = _read(rows, model, stop)
        later = StoppingRows(stop_X, rows.y[stop]) if len(stop) else None
    X, train = _read(rows, model, train)
    model.fit(X, rows.y[train], stopping=later, progress=progress, start=start)


def _read(rows: LabelledBars, model: Model, wanted: IntArray) -> tuple[Float32Array | Sequences, IntArray]:
    """Inputs of a model at some rows, and the rows where no bar of its window is missing."""
    inputs = rows.inputs_of(model.feature_names)
    kept = wanted[inputs.whole(model.window)[wanted]]
    return inputs.at(kept, model.window), kept


def _scores(model: Model, rows: LabelledBars, scored: IntArray) -> FloatArray:
    """(n, 3) scores of a model on some rows; NaN where bars of its window are missing."""
    found = np.full((len(scored), len(CLASS_NAMES)), np.nan)
    inputs = rows.inputs_of(model.feature_names)
    whole = inputs.whole(model.window)[scored]
    if whole.any():
        found[whole] = model.predict_proba(inputs.at(scored[whole], model.window))
    return found
