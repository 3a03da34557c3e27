"""Walk-forward: train on the past, score the bars that follow, move on.

No bar is scored by a model that was trained on it, or on a label that reads it. All test spans together are one
continuous out-of-sample run.

Reference: López de Prado (2018), Advances in Financial Machine Learning, chapters 7 and 12.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from quorate.core.errors import ModelError, QuorateError
from quorate.core.progress import Progress, silent
from quorate.core.settings import ModelSettings, Settings
from quorate.core.types import CLASS_NAMES, Float32Array, FloatArray, IntArray
from quorate.ensemble.stack.expanding_folds import embargo_ms
from quorate.ensemble.training.fit_policy import ENSEMBLE, FittedPolicy, fit_policy
from quorate.ensemble.training.holdout import HoldoutScores
from quorate.ensemble.training.move_heads import MemberHead, fit_heads, with_earlier_heads
from quorate.ensemble.training.out_of_fold import RefittedScores, score_out_of_fold
from quorate.ensemble.voting.mean_scores import mean_scores
from quorate.evaluation.baselines.naive import class_prior
from quorate.evaluation.walk_forward.fold_rows import FoldRows, split_folds
from quorate.evaluation.walk_forward.labelled_bars import LabelledBars
from quorate.evaluation.walk_forward.walk_result import Fit, WalkResult
from quorate.features import Sequences
from quorate.models import Model, StoppingRows
from quorate.models.move_head import shrink_direction
from quorate.models.registry import build, model_class, require_known
from quorate.targets import Slices, training_slices

# Model name -> a new, unfitted model.
Builder = Callable[[str], Model]
# Called with a fold, a model's name, and the model fitted on the fold's training rows, before it is discarded.
OnFitted = Callable[[FoldRows, str, Model], None]


@dataclass(frozen=True, slots=True)
class WalkOptions:
    """Options of a walk-forward.

    Attributes:
        folds: number of test spans; None for `evaluation.folds`.
        anchored: train on all rows from the first on; else on a rolling window of constant length.
        first: start of the first test span, ms; None for the end of the first of `folds` + 1 equal parts.
        baselines: registered models that are trained on the same rows without a vote.
        build: makes the models; None for the registry.
        on_fitted: called with every fitted model, for example to measure its permutation importance.
    """

    folds: int | None = None
    anchored: bool = True
    first: int | None = None
    baselines: Sequence[str] = ()
    build: Builder | None = None
    on_fitted: OnFitted | None = None


def walk(
    rows: LabelledBars,
    members: Sequence[str],
    settings: Settings,
    options: WalkOptions | None = None,
    progress: Progress = silent,
) -> WalkResult:
    """Train every model in every fold, and score the bars of the fold's test span.

    A model that fails in a fold abstains there; the result records the reason.

    Args:
        rows: features and labels of every bar.
        members: registered models that vote, in order.
        settings: of models, split and training.
        options: folds, window and baselines; None for the defaults.
        progress: callback.

    Raises:
        ModelError: an unknown or repeated name, or no member could be fitted in any fold.
        EvaluationError: too few bars for the folds.
    """
    chosen = options or WalkOptions()
    names = (*members, *(name for name in chosen.baselines if name not in members))
    if chosen.build is None:
        require_members(names, settings.models)
    build_model = chosen.build or partial(_registered, rows=rows, members=members, settings=settings)
    folds = _folds(rows, settings, chosen)
    shape = (len(rows), len(CLASS_NAMES))
    scores = {name: np.full(shape, np.nan) for name in names}
    prior = np.full(shape, np.nan)
    probabilities = {name: np.full(shape, np.nan) for name in (*members, ENSEMBLE)}
    fits, policies = [], []
    for place, fold in enumerate(folds, 1):
        train, slices = training_slices(rows.time, rows.span_end, fold.train, settings.split)
        scored = np.concatenate([slices.calibrate, slices.choose, fold.test])
        prior[fold.test] = class_prior(rows.y[fold.train])
        refitted = score_out_of_fold(
            {name: partial(build_model, name) for name in members},
            rows,
            partial(_read, rows),
            np.concatenate([train, slices.stop, slices.calibrate]),
            settings,
            embargo_ms(settings.split.embargo_bars, settings.target.horizon, rows.bar_ms),
            lambda stage, done, total, place=place: progress(f"fold {place}/{len(folds)}, {stage}", done, total),  # type: ignore[misc]
        )
        headed = settings.train.head == "move"
        heads = fit_heads(refitted, rows)
        directions = {}
        found: dict[str, FloatArray] = {}
        done = {}
        for number, name in enumerate(names, 1):
            stage = f"fold {place}/{len(folds)}, {name} ({number}/{len(names)})"
            began = time.perf_counter()
            try:
                model = build_model(name)
                _fit(model, rows, train, slices.stop, partial(progress, stage))
                found[name] = _scores(model, rows, scored)
                if headed and name in members:
                    head = MemberHead(heads.get(name), slices.calibrate).fit((scored, found[name]), rows)
                    found[name], directions[name] = shrink_direction(found[name], head.factor), head.to_json()
            except QuorateError as error:
                done[name] = Fit(time.perf_counter() - began, str(error))
                progress(f"{stage} abstains", 1, 1)
                continue
            done[name] = Fit(time.perf_counter() - began, directional=model.directional)
            if chosen.on_fitted is not None:
                chosen.on_fitted(fold, name, model)
        fits.append(done)
        for name, table in found.items():
            scores[name][fold.test] = table[len(scored) - len(fold.test) :]
        voting = {name: found[name] for name in members if name in found}
        earlier = with_earlier_heads(refitted, rows) if headed else refitted
        policy = _fit_policy(rows, slices, voting, earlier, settings, len(members))
        policies.append(replace(policy, report={**policy.report, "direction": directions}))
        tested = {name: scores[name][fold.test] for name in members}
        for name, calibrated in policy.calibration.frame(tested).items():
            probabilities[name][fold.test] = calibrated
        if policy.calibration.policy is not None:
            mean = mean_scores(tested, settings.vote)
            probabilities[ENSEMBLE][fold.test] = policy.calibration.policy.ensemble(mean)
    failures = [fit[name].failure for fit in fits for name in members]
    if all(failures):
        raise ModelError("walk forward", found=str(failures[0]), expected="a member that can be fitted")
    return WalkResult(rows, tuple(members), folds, scores, prior, tuple(fits), probabilities, tuple(policies))


def _folds(rows: LabelledBars, settings: Settings, options: WalkOptions) -> tuple[FoldRows, ...]:
    embargo = settings.split.embargo_bars
    return split_folds(
        rows,
        settings.evaluation.folds if options.folds is None else options.folds,
        embargo_bars=settings.target.horizon if embargo < 0 else embargo,
        anchored=options.anchored,
        first=options.first,
    )


def _fit(
    model: Model, rows: LabelledBars, train: IntArray, stop: IntArray, progress: Callable[[int, int], None]
) -> None:
    """Fit a model on training rows; a model with early stopping monitors the loss on the later stopping rows."""
    later = None
    if model.stops_early:
        stop_X, stop = _read(rows, model, stop)
        later = StoppingRows(stop_X, rows.y[stop]) if len(stop) else None
    X, train = _read(rows, model, train)
    model.fit(X, rows.y[train], stopping=later, progress=progress)


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


def _fit_policy(
    rows: LabelledBars,
    slices: Slices,
    scores: Mapping[str, FloatArray],
    refitted: RefittedScores,
    settings: Settings,
    members: int,
) -> FittedPolicy:
    """Fit calibration and policy on the scores out of fold and on the two slices after the training rows."""

    def holdout(part: IntArray, tables: Mapping[str, FloatArray]) -> HoldoutScores:
        return HoldoutScores(
            scores=tables,
            y=rows.y[part],
            time=rows.time[part],
            span_end=rows.span_end[part],
            forward_return=rows.forward_return[part],
            volatility=rows.volatility[part],
        )

    first = len(slices.calibrate)
    last = first + len(slices.choose)
    return fit_policy(
        holdout(slices.calibrate, {name: table[:first] for name, table in scores.items()}),
        holdout(slices.choose, {name: table[first:last] for name, table in scores.items()}),
        settings,
        members,
        holdout(refitted.rows, {name: table for name, table in refitted.scores.items() if name in scores}),
        refitted.left_out,
    )


def require_members(names: Sequence[str], settings: ModelSettings) -> None:
    """Check member names, before data is read.

    Args:
        names: of the members.
        settings: whose `modules` are files with further models.

    Raises:
        ModelError: no name, a repeated one, or one that is not registered.
        SettingsError: a file of `modules` cannot be read or fails.
    """
    for name in names:
        require_known(name, settings)
    if not names or len(set(names)) < len(names):
        raise ModelError(
            "walk forward", found=f"models {', '.join(names) or 'none'}", expected="at least one model, each once"
        )


def _registered(name: str, rows: LabelledBars, members: Sequence[str], settings: Settings) -> Model:
    """A registered model; baselines alone may read columns beside the feature set."""
    models, train = settings.models, settings.train
    features = rows.columns if name in members else rows.columns_for(model_class(name, models).reads)
    return build(name, "class", models, seed=train.seed, threads=train.threads, features=features)
