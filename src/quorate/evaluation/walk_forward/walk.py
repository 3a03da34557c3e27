"""Walk-forward: train on the past, score the bars that follow, move on.

No bar is scored by a model that was fitted on it, or on a label that reads it. All test spans together are one
continuous stretch on which nothing was known beforehand.

Reference: López de Prado (2018), Advances in Financial Machine Learning, chapters 7 and 12.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from quorate.core.errors import ModelError, QuorateError
from quorate.core.settings import Settings
from quorate.core.types import CLASS_NAMES, FloatArray, IntArray
from quorate.ensemble.training.fit_policy import ENSEMBLE, FittedPolicy, learn
from quorate.ensemble.training.holdout import HoldoutScores
from quorate.ensemble.voting.mean_scores import mean_scores
from quorate.evaluation.baselines.naive import class_prior
from quorate.evaluation.walk_forward.fold_rows import FoldRows, steps
from quorate.evaluation.walk_forward.labelled_bars import LabelledBars
from quorate.evaluation.walk_forward.walk_result import Fit, WalkResult
from quorate.models import Model, StoppingRows
from quorate.models.base import Progress
from quorate.models.registry import build, require_known
from quorate.targets import Slices, training_slices

# (what is going on, steps done, steps in all)
Tell = Callable[[str, int, int], None]
# A new, unfitted member of that name.
Builder = Callable[[str], Model]
# A step, a name and its model, fitted on that step's training rows and about to be dropped.
Watch = Callable[["FoldRows", str, Model], None]


def walk(
    rows: LabelledBars,
    members: Sequence[str],
    settings: Settings,
    *,
    folds: int | None = None,
    anchored: bool = True,
    first: int | None = None,
    beside: Sequence[str] = (),
    tell: Tell = lambda *_: None,
    builder: Builder | None = None,
    watch: Watch = lambda *_: None,
) -> WalkResult:
    """Train every model anew in every step, and score the bars that follow.

    A model that fails in a step abstains there, and the walk says why.

    Args:
        rows: features and labels of every bar.
        members: registered models that vote, in order.
        settings: of models, split and training.
        folds: test spans; None for the setting.
        anchored: training begins with the first row and grows; else it rolls along.
        first: where the first test span begins, ms; None for the end of the first of `folds` + 1 equal parts.
        beside: registered models that are trained on the same rows and do not vote: baselines.
        tell: progress.
        builder: makes the models; None for the registry.
        watch: is shown every fitted model.

    Raises:
        ModelError: an unknown or doubled name, or no member could be fitted in any step.
        EvaluationError: too few bars for the folds.
    """
    names = (*members, *(name for name in beside if name not in members))
    if builder is None:
        require_members(names)
    embargo = settings.split.embargo_bars
    if embargo < 0:
        embargo = settings.target.horizon
    made = steps(
        rows,
        settings.evaluation.folds if folds is None else folds,
        embargo_bars=embargo,
        anchored=anchored,
        first=first,
    )
    scores = {name: np.full((len(rows), len(CLASS_NAMES)), np.nan) for name in names}
    prior = np.full((len(rows), len(CLASS_NAMES)), np.nan)
    probabilities = {name: np.full_like(prior, np.nan) for name in (*members, ENSEMBLE)}
    fits, judgements = [], []
    for place, step in enumerate(made, 1):
        fitted, slices = training_slices(rows.time, rows.span_end, step.train, settings.split)
        asked = np.concatenate([slices.calibrate, slices.choose, step.test])
        answers = {}
        prior[step.test] = class_prior(rows.y[step.train])
        done = {}
        for number, name in enumerate(names, 1):
            stage = f"fold {place}/{len(made)}, {name} ({number}/{len(names)})"
            began = time.perf_counter()
            try:
                model = _registered(name, settings) if builder is None else builder(name)
                _learn(model, rows, fitted, slices.stop, partial(tell, stage))
                answers[name] = _ask(model, rows, asked)
            except QuorateError as error:
                done[name] = Fit(time.perf_counter() - began, str(error))
                tell(f"{stage} abstains", 1, 1)
                continue
            done[name] = Fit(time.perf_counter() - began)
            watch(step, name, model)
        fits.append(done)
        for name, given in answers.items():
            scores[name][step.test] = given[len(asked) - len(step.test) :]
        judged = _judge(rows, slices, {name: answers[name] for name in members if name in answers}, settings, members)
        judgements.append(judged)
        tested = {name: scores[name][step.test] for name in members}
        for name, found in judged.calibration.frame(tested).items():
            probabilities[name][step.test] = found
        if judged.calibration.policy is not None:
            together = mean_scores(tested, settings.vote)
            probabilities[ENSEMBLE][step.test] = judged.calibration.policy.ensemble(together)
    failures = [fit[name].failure for fit in fits for name in members]
    if all(failures):
        raise ModelError("walk forward", found=str(failures[0]), expected="a member that can be fitted")
    return WalkResult(rows, tuple(members), made, scores, prior, tuple(fits), probabilities, tuple(judgements))


def _learn(model: Model, rows: LabelledBars, train: IntArray, stop: IntArray, progress: Progress) -> None:
    """Fit a model on some rows; one that stops early is told when by later ones."""
    whole = rows.inputs.whole(model.window)
    train, stop = train[whole[train]], stop[whole[stop]]
    later = None
    if model.stops_early and len(stop):
        later = StoppingRows(rows.inputs.at(stop, model.window), rows.y[stop])
    model.fit(rows.inputs.at(train, model.window), rows.y[train], later=later, progress=progress)


def _ask(model: Model, rows: LabelledBars, asked: IntArray) -> FloatArray:
    """(n, 3) a model's scores on some rows; NaN where it has not the bars that it reads."""
    given = np.full((len(asked), len(CLASS_NAMES)), np.nan)
    whole = rows.inputs.whole(model.window)[asked]
    if whole.any():
        given[whole] = model.predict_proba(rows.inputs.at(asked[whole], model.window))
    return given


def _judge(
    rows: LabelledBars, slices: Slices, answers: Mapping[str, FloatArray], settings: Settings, members: Sequence[str]
) -> FittedPolicy:
    """Probabilities and a policy, from what the members answered on the two slices after their training rows."""

    def evidence(chosen: IntArray, first: int) -> HoldoutScores:
        return HoldoutScores(
            scores={name: given[first : first + len(chosen)] for name, given in answers.items()},
            y=rows.y[chosen],
            time=rows.time[chosen],
            span_end=rows.span_end[chosen],
            forward_return=rows.forward_return[chosen],
            volatility=rows.volatility[chosen],
        )

    calibrate, choose = slices.calibrate, slices.choose
    return learn(evidence(calibrate, 0), evidence(choose, len(calibrate)), settings, len(members))


def require_members(names: Sequence[str]) -> None:
    """Refuse names before anything is read or trained.

    Raises:
        ModelError: none, one of them twice, or one that no one registered.
    """
    for name in names:
        require_known(name)
    if not names or len(set(names)) < len(names):
        raise ModelError("walk forward", found=f"models {', '.join(names) or 'none'}", expected="each once")


def _registered(name: str, settings: Settings) -> Model:
    return build(name, "class", settings.models, seed=settings.train.seed, threads=settings.train.threads)
