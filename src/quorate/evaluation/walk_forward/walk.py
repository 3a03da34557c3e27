"""Walk-forward: train on the past, score the bars that follow, move on.

No bar is scored by a model that was trained on it, or on a label that reads it. All test spans together are one
continuous out-of-sample run.

Reference: López de Prado (2018), Advances in Financial Machine Learning, chapters 7 and 12.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from quorate.core.errors import ModelError, QuorateError
from quorate.core.machine import free_workers, run_tasks
from quorate.core.progress import Progress, RunEstimate, silent
from quorate.core.settings import ModelSettings, Settings
from quorate.core.types import CLASS_NAMES, FloatArray, IntArray
from quorate.ensemble.column_choice import ChooseColumns, without_refits
from quorate.ensemble.selection import Membership
from quorate.ensemble.training.chosen_members import choose_on_holdout
from quorate.ensemble.training.fit_policy import ENSEMBLE, FittedPolicy, fit_policy
from quorate.ensemble.training.holdout import HoldoutScores
from quorate.ensemble.training.out_of_fold import RefittedScores
from quorate.ensemble.voting.mean_scores import mean_scores
from quorate.evaluation.baselines.naive import class_prior
from quorate.evaluation.walk_forward.fold_columns import choose_in_folds
from quorate.evaluation.walk_forward.fold_fit import Builder, Examination, FitKey, FittedModel, FoldFits, FoldParts
from quorate.evaluation.walk_forward.fold_rows import FoldRows, split_folds
from quorate.evaluation.walk_forward.labelled_bars import LabelledBars
from quorate.evaluation.walk_forward.walk_membership import walk_membership
from quorate.evaluation.walk_forward.walk_result import Fit, WalkResult
from quorate.evaluation.walk_forward.warm_folds import earlier_fits
from quorate.models import Model
from quorate.models.own_models import own_sources
from quorate.models.pretraining import Pretraining, require_unseen
from quorate.models.registry import build, model_class, require_known
from quorate.targets import Slices

# Fewer rows in all fits together take a few seconds: no longer than it takes to begin processes.
_LEAST_ROWS = 800_000
# Memory of one fit, in copies of all rows: those it is fitted on, what a library makes of them, and its scores.
_COPIES = 3


@dataclass(frozen=True, slots=True)
class WalkOptions:
    """Options of a walk-forward.

    Attributes:
        folds: number of test spans; None for `evaluation.folds`.
        anchored: train on all rows from the first on; else on a rolling window of constant length.
        first: start of the first test span, ms; None for the end of the first of `folds` + 1 equal parts.
        baselines: registered models that are trained on the same rows without a vote.
        build: makes the models; None for the registry.
        examination: of every fitted model, such as its permutation importance.
        workers: processes that fit, see `train.workers`; None for the setting.
        choose: chooses the members' columns in each fold, on its training rows; None for the whole feature set.
    """

    folds: int | None = None
    anchored: bool = True
    first: int | None = None
    baselines: Sequence[str] = ()
    build: Builder | None = None
    examination: Examination | None = None
    workers: int | None = None
    choose: ChooseColumns | None = None


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
        PretrainingError: a test span has bars that a member's pretrained weights may know, and `evaluation.pretrained`
            is "refuse".
        EvaluationError: too few bars for the folds.
    """
    chosen = options or WalkOptions()
    names = (*members, *(name for name in chosen.baselines if name not in members))
    if chosen.build is None:
        require_members(names, settings.models)
    folds = _folds(rows, settings, chosen)
    build_model = chosen.build or partial(_registered, rows=rows, members=members, settings=settings)
    # Builders of a caller's own make each model once: what theirs can is not asked.
    made = [] if chosen.build is not None else _made(build_model, names)
    pretrained = {model.name: model.pretraining for model in made if model.pretraining is not None}
    if settings.evaluation.pretrained == "refuse":
        require_unseen(pretrained, folds[0].start)
    parts = tuple(FoldParts.of(fold, rows, settings) for fold in folds)
    choices = choose_in_folds(rows, parts, members, settings, chosen.choose, progress)
    if choices:
        settings = without_refits(settings)
    fits = FoldFits(
        rows,
        parts,
        names,
        tuple(members),
        settings,
        build_model,
        chosen.examination,
        frozenset(model.name for model in made if model.slow_fit),
        tuple(choice.columns for choice in choices),
    )
    kept = _Kept(fits, pretrained)
    keys = [FitKey(place, name) for place in range(len(folds)) for name in names]
    # Fits of folds that are not complete: folds are taken in order of time, whichever of their fits ends first.
    pending: dict[FitKey, FittedModel] = {}
    after = earlier_fits(fits, [model.name for model in made if model.starts_warm])
    files: dict[FitKey, bytes | None] = {}
    estimate = RunEstimate.of(progress)
    estimate.plan({key: fits.size(key, warm=key in after).part(key.name) for key in keys})
    estimate.workers = _workers(fits, settings, chosen)

    def report(key: FitKey, share: float, stage: str, done: int, total: int) -> None:
        estimate.advance(key, share)
        estimate(stage, done, total)

    def given(key: FitKey) -> bytes | None:
        estimate.begin(key)
        return files.get(after[key]) if key in after else None

    resumed: set[FitKey] = set()
    for key, fitted in run_tasks(
        fits,
        keys,
        estimate.workers,
        report=report,
        after=after,
        given=given,
        engine=settings.engine,
        about=own_sources(names, settings.models),
        resumed=resumed.add,
    ):
        if key in resumed:
            estimate.skip(key)
        else:
            estimate.end(key)
        pending[key], files[key] = fitted, fitted.content
        while kept.next < len(folds) and all(FitKey(kept.next, name) in pending for name in names):
            place = kept.next
            kept.take({name: pending.pop(FitKey(place, name)) for name in names})
    return replace(kept.result(), choices=choices)


class _Kept:
    """What is kept of the folds so far, in order of time."""

    def __init__(self, fits: FoldFits, pretrained: Mapping[str, Pretraining]) -> None:
        shape = (len(fits.rows), len(CLASS_NAMES))
        self._fits, self._pretrained = fits, pretrained
        self._scores = {name: np.full(shape, np.nan) for name in fits.names}
        self._prior = np.full(shape, np.nan)
        self._probabilities = {name: np.full(shape, np.nan) for name in (*fits.members, ENSEMBLE)}
        self._outcomes: list[Mapping[str, Fit]] = []
        self._policies: list[FittedPolicy] = []
        self._held_out: tuple[IntArray, Mapping[str, FloatArray]] = np.empty(0, np.int64), {}

    @property
    def next(self) -> int:
        """Number of the fold to take next."""
        return len(self._outcomes)

    def take(self, found: Mapping[str, FittedModel]) -> None:
        """Take the models of the next fold, and fit its calibration and policy."""
        fits, rows, settings = self._fits, self._fits.rows, self._fits.settings
        parts, members = fits.parts[self.next], fits.members
        test, slices = parts.fold.test, parts.slices
        self._prior[test] = class_prior(rows.y[parts.fold.train])
        for name, fitted in found.items():
            if fitted.scores is not None:
                self._scores[name][test] = fitted.scores[len(parts.scored) - len(test) :]
            if fits.examination is not None and fitted.examined is not None:
                fits.examination.add(name, fitted.examined)
        own = {name: found[name] for name in members}
        earlier = replace(
            fits.out_of_fold(parts, None, silent),
            scores={name: each.refitted for name, each in own.items() if each.refitted is not None},
            left_out={name: each.left_out for name, each in own.items() if each.left_out},
        )
        voting = {name: each.scores for name, each in own.items() if each.scores is not None}
        policy = _fit_policy(rows, slices, voting, earlier, settings, Membership(settings.select.size).count(members))
        if not self._outcomes:
            before = len(parts.scored) - len(test)
            self._held_out = parts.scored[:before], {name: table[:before] for name, table in voting.items()}
        directions = {name: each.direction for name, each in own.items() if each.direction is not None}
        self._policies.append(replace(policy, report={**policy.report, "direction": directions}))
        tested = {name: self._scores[name][test] for name in members}
        for name, calibrated in policy.calibration.frame(tested).items():
            self._probabilities[name][test] = calibrated
        self._outcomes.append({name: fitted.fit for name, fitted in found.items()})

    def result(self) -> WalkResult:
        """The result, once all folds are taken.

        Raises:
            ModelError: no member could be fitted in any fold.
        """
        fits = self._fits
        failures = [outcome[name].failure for outcome in self._outcomes for name in fits.members]
        if all(failures):
            raise ModelError("walk forward", found=str(failures[0]), expected="a member that can be fitted")
        scores = {name: self._scores[name] for name in fits.members}
        folds = tuple(parts.fold for parts in fits.parts)
        membership = walk_membership(fits.rows, folds, scores, self._prior, self._held_out, fits.settings)
        voting, _ = membership.split(scores, fits.rows.time + fits.rows.bar_ms)
        for fold, policy in zip(folds, self._policies, strict=True):
            if policy.calibration.policy is not None:
                mean = mean_scores({name: table[fold.test] for name, table in voting.items()}, fits.settings.vote)
                self._probabilities[ENSEMBLE][fold.test] = policy.calibration.policy.ensemble(mean)
        return WalkResult(
            fits.rows,
            fits.members,
            folds,
            self._scores,
            self._prior,
            tuple(self._outcomes),
            self._probabilities,
            tuple(self._policies),
            membership,
            self._pretrained,
        )


def _made(build_model: Builder, names: Sequence[str]) -> list[Model]:
    """The models that can be made; the others abstain in every fold, with their reason."""
    made = []
    for name in names:
        with suppress(QuorateError):
            made.append(build_model(name))
    return made


def _workers(fits: FoldFits, settings: Settings, options: WalkOptions) -> int:
    """Number of processes that fit: as set, or by what is free; this one alone where there is little to do."""
    wanted = settings.train.workers if options.workers is None else options.workers
    if settings.engine.name != "local":
        wanted = settings.engine.workers or wanted
        return wanted or free_workers(_COPIES * fits.rows.X.nbytes)
    fitted = sum(len(parts.train) for parts in fits.parts) * len(fits.names)
    if not wanted and fitted < _LEAST_ROWS:
        return 1
    return wanted or free_workers(_COPIES * fits.rows.X.nbytes)


def _folds(rows: LabelledBars, settings: Settings, options: WalkOptions) -> tuple[FoldRows, ...]:
    embargo = settings.split.embargo_bars
    return split_folds(
        rows,
        settings.evaluation.folds if options.folds is None else options.folds,
        embargo_bars=settings.target.horizon if embargo < 0 else embargo,
        anchored=options.anchored,
        first=options.first,
    )


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
    calibrate, choose, earlier = choose_on_holdout(
        holdout(slices.calibrate, {name: table[:first] for name, table in scores.items()}),
        holdout(slices.choose, {name: table[first:last] for name, table in scores.items()}),
        holdout(refitted.rows, {name: table for name, table in refitted.scores.items() if name in scores}),
        settings,
    )
    return fit_policy(calibrate, choose, settings, members, earlier, refitted.left_out)


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
    # One thread each, also where one fit runs alone: sums of a network depend on the number of threads, and the number
    # of processes must not change a figure.
    return build(name, "class", models, seed=train.seed, threads=train.threads or 1, features=features)
