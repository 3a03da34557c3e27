"""Fitting a stack: predictions of the members out of fold, the combiner fitted on them, and its figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from quorate.core.clock import timeframe_ms
from quorate.core.errors import ModelError, QuorateError
from quorate.core.progress import Progress
from quorate.core.settings import Settings
from quorate.core.types import BoolArray, FloatArray, IntArray
from quorate.ensemble.measure import Measure
from quorate.ensemble.stack.combiner import Linear
from quorate.ensemble.stack.expanding_folds import StackFold, embargo_ms, stack_folds
from quorate.ensemble.stack.out_of_fold import Predictions, align, predict_held_out
from quorate.ensemble.stack.sign_probability import fit_sign_probability
from quorate.ensemble.stack.stack import Stack
from quorate.ensemble.stack.stack_files import write
from quorate.ensemble.stack.stack_metrics import STACKED, improvements, part_figures
from quorate.ensemble.stack.tuning import Purge, TunedCombiner, tune
from quorate.models import Model
from quorate.models.runtime import OnnxSession
from quorate.targets import Dataset
from quorate.targets.splits import TimeSplit


@dataclass(frozen=True, slots=True, eq=False)
class FittedStack:
    """A fitted stack, its files and figures.

    Attributes:
        stack: for prediction.
        files: file name -> content.
        figures: name of a member, the stack or a baseline -> part -> figures.
        about: entry "stack" of the manifest: method, penalty, weights, rows, all penalties tried.
        failures: member -> why it could not be fitted out of fold; such members are not in the stack.
    """

    stack: Stack
    files: dict[str, bytes]
    figures: dict[str, dict[str, Any]]
    about: dict[str, Any]
    failures: dict[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class OutOfFold:
    """Members' predictions of training rows, each by a model fitted on earlier rows.

    Attributes:
        members: in the order of the columns.
        predictions: of the rows that all members predicted.
        folds: the folds they were predicted in.
        embargo: embargo after a label's end, ms.
        failures: member -> why it could not be fitted out of fold.
    """

    members: tuple[str, ...]
    predictions: Predictions
    folds: tuple[StackFold, ...]
    embargo: int
    failures: dict[str, str]


def predict_out_of_fold(
    makers: Mapping[str, Callable[[], Model]],
    dataset: Dataset,
    split: TimeSplit,
    settings: Settings,
    horizon: int,
    progress: Progress,
) -> OutOfFold:
    """Fit every member once for each fold of the training part and predict the held-out rows.

    Args:
        makers: member -> factory of unfitted models, in order.
        dataset: features and returns.
        split: its parts; only the training part is used.
        settings: of the folds and the embargo.
        horizon: bars that a label looks ahead.
        progress: called with the member's name, folds done and folds in all.

    Raises:
        ModelError: fewer than two members (or not the only one) could be fitted.
        TargetError: too few rows for the folds.
    """
    embargo = embargo_ms(settings.split.embargo_bars, horizon, timeframe_ms(dataset.inputs.timeframe))
    folds = stack_folds(dataset.time, dataset.span_end, split.train, settings.stack, embargo)
    predictions: dict[str, dict[int, tuple[IntArray, FloatArray]]] = {}
    failures: dict[str, str] = {}
    for name, make in makers.items():
        try:
            predictions[name] = predict_held_out(make, dataset, folds, partial(progress, f"{name} out of fold"))
        except QuorateError as error:
            # As in training, a member that fails does not stop the others.
            failures[name] = f"out of fold: {error}"
    if len(predictions) < min(2, len(makers)):
        raise ModelError("stack the members", found="; ".join(failures.values()), expected="at least two members")
    return OutOfFold(tuple(predictions), align(dataset, tuple(predictions), predictions), folds, embargo, failures)


def fit_stack(
    out_of_fold: OutOfFold,
    graphs: Mapping[str, bytes],
    dataset: Dataset,
    split: TimeSplit,
    settings: Settings,
    measure: Measure,
) -> FittedStack:
    """Fit the combiner on the predictions out of fold, and evaluate it on the later parts.

    Validation rows are used only for early stopping of the members, test rows for no choice.

    Args:
        out_of_fold: predictions of the members out of fold.
        graphs: member -> ONNX graph of the model fitted on the whole training part.
        dataset: features and returns.
        split: its parts.
        settings: of the stack, the costs and the seed.
        measure: metrics of (n,) predicted returns.

    Raises:
        ModelError: too few rows, or the forest and its graph differ.
    """
    predictions, members = out_of_fold.predictions, out_of_fold.members
    y = dataset.y[predictions.rows]
    purge = _purge(dataset, predictions, out_of_fold.embargo)
    tuned = tune(predictions.predicted, y, predictions.fold, purge, settings.stack, settings.train.seed)
    combiner = tuned.fit(predictions.predicted, y)
    known = np.isfinite(tuned.best.predicted)
    confidence = fit_sign_probability(tuned.best.predicted[known], y[known], settings.stack.confidence_rows)
    stack = Stack(settings.stack.method, members, combiner, confidence, _round_trip(settings))
    figures = _figures(stack, graphs, dataset, split, out_of_fold, tuned, measure)
    about = {
        "method": stack.method,
        "members": list(members),
        "strength": tuned.best.strength,
        "weights": dict(zip(members, combiner.weights.tolist(), strict=True)) if isinstance(combiner, Linear) else None,
        "round_trip": stack.round_trip,
        "mean_return": float(dataset.y[split.train].mean()),
        "rows": {"out_of_fold": len(predictions), "judged": int(known.sum())},
        "folds": [{"fit": len(f.fit), "stop": len(f.stop), "held": len(f.held_out)} for f in out_of_fold.folds],
        "tried": [{"strength": trial.strength, "mse": trial.mse} for trial in tuned.trials],
        "improvement": {part: improvements(_of_part(figures, part)) for part in figures[STACKED]},
    }
    return FittedStack(stack, write(stack), figures, about, out_of_fold.failures)


def _purge(dataset: Dataset, predictions: Predictions, embargo: int) -> Purge:
    """Keeps those rows to fit on whose labels end more than the embargo before the rows to predict."""
    time, ends = dataset.time[predictions.rows], dataset.span_end[predictions.rows]

    def purge(fit: BoolArray, predict: BoolArray) -> BoolArray:
        return np.asarray(fit & (ends + embargo < time[predict].min()))

    return purge


def _round_trip(settings: Settings) -> float:
    """Cost of a round trip, a fraction."""
    if settings.stack.round_trip >= 0:
        return settings.stack.round_trip
    return 2 * (settings.costs.taker_fee + settings.costs.slippage)


def _figures(
    stack: Stack,
    graphs: Mapping[str, bytes],
    dataset: Dataset,
    split: TimeSplit,
    out_of_fold: OutOfFold,
    tuned: TunedCombiner,
    measure: Measure,
) -> dict[str, dict[str, Any]]:
    """Name -> part -> figures; those of the later parts from the graphs that serve."""
    names, predictions = stack.members, out_of_fold.predictions
    known = np.isfinite(tuned.best.predicted)
    means = np.array([dataset.y[fold.fit].mean() for fold in out_of_fold.folds])[predictions.fold]
    parts = {
        "out_of_fold": part_figures(
            measure,
            dataset,
            predictions.rows[known],
            names,
            predictions.predicted[known],
            tuned.best.predicted[known],
            means[known],
            stack.round_trip,
        )
    }
    sessions = {name: OnnxSession(graphs[name], dataset.inputs.X.shape[1], name) for name in names}
    mean = dataset.y[split.train].mean(keepdims=True)
    for part, wanted in (("validation", split.validation), ("test", split.test)):
        later = {name: {0: _predict(session, dataset, wanted)} for name, session in sessions.items()}
        aligned = align(dataset, names, later)
        if len(aligned):
            stacked = stack.combiner.combine(aligned.predicted)
            cost = stack.round_trip
            parts[part] = part_figures(measure, dataset, aligned.rows, names, aligned.predicted, stacked, mean, cost)
    return {name: {part: rows[name] for part, rows in parts.items()} for name in parts["out_of_fold"]}


def _predict(session: OnnxSession, dataset: Dataset, wanted: IntArray) -> tuple[IntArray, FloatArray]:
    """Those of some rows that a member can read, and its predicted returns for them."""
    X, rows = dataset.read(wanted, session.window)
    return rows, session.run(X)[:, 0] if len(rows) else np.empty(0)


def _of_part(figures: Mapping[str, Mapping[str, Any]], part: str) -> dict[str, Any]:
    return {name: parts[part] for name, parts in figures.items()}
