"""Fitted members to a fitted stack: predictions out of fold, the combiner on those, and how good it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from quorate.core.clock import timeframe_ms
from quorate.core.errors import ModelError, QuorateError
from quorate.core.settings import Settings
from quorate.core.types import BoolArray, FloatArray, IntArray
from quorate.ensemble.measure import Measure
from quorate.ensemble.stack.combiner import Linear
from quorate.ensemble.stack.expanding_folds import StackFold, embargo_ms, stack_folds
from quorate.ensemble.stack.out_of_fold import Predictions, align, predict_held
from quorate.ensemble.stack.sign_probability import fit_sign_probability
from quorate.ensemble.stack.stack import Stack
from quorate.ensemble.stack.stack_files import write
from quorate.ensemble.stack.stack_metrics import STACKED, improvements, part_figures
from quorate.ensemble.stack.tuning import TunedCombiner, choose
from quorate.models import Model
from quorate.models.runtime import OnnxSession
from quorate.targets import Dataset
from quorate.targets.splits import TimeSplit


@dataclass(frozen=True, slots=True, eq=False)
class FittedStack:
    """A stack, its files, and what is known of it.

    Attributes:
        stack: as it serves.
        files: file name -> content.
        figures: name of a member, the stack or a baseline -> part -> figures.
        about: method, strength, weights, rows, all strengths that were tried; JSON-safe.
        failures: member -> why it could not be predicted out of fold; such a member is not in the stack.
    """

    stack: Stack
    files: dict[str, bytes]
    figures: dict[str, dict[str, Any]]
    about: dict[str, Any]
    failures: dict[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class OutOfFold:
    """What members said of the training rows that they had not learned from.

    Attributes:
        members: in the order of the columns.
        held: the rows that all of them have spoken of.
        folds: that they were predicted in.
        embargo: time kept free after a label's end, ms.
        failures: member -> why it could not be predicted out of fold.
    """

    members: tuple[str, ...]
    held: Predictions
    folds: tuple[StackFold, ...]
    embargo: int
    failures: dict[str, str]


def predict_out_of_fold(
    makers: Mapping[str, Callable[[], Model]],
    dataset: Dataset,
    split: TimeSplit,
    settings: Settings,
    horizon: int,
    tell: Callable[[str, int, int], None],
) -> OutOfFold:
    """Fit every member anew for each stretch of the training part, and let it predict that.

    Args:
        makers: member -> how a new one is made, in order.
        dataset: features and returns.
        split: its parts; only the first is touched.
        settings: of the folds and the embargo.
        horizon: bars that a label looks ahead.
        tell: progress.

    Raises:
        ModelError: fewer than two members (or not the only one) could be fitted.
        TargetError: too few rows for the folds.
    """
    embargo = embargo_ms(settings.split.embargo_bars, horizon, timeframe_ms(dataset.inputs.timeframe))
    folds = stack_folds(dataset.time, dataset.span_end, split.train, settings.stack, embargo)
    said: dict[str, dict[int, tuple[IntArray, FloatArray]]] = {}
    failures: dict[str, str] = {}
    for name, make in makers.items():
        try:
            said[name] = predict_held(make, dataset, folds, partial(tell, f"{name} out of fold"))
        except QuorateError as error:
            # As in training: one member that fails does not lose the others.
            failures[name] = f"out of fold: {error}"
    if len(said) < min(2, len(makers)):
        raise ModelError("stack the members", found="; ".join(failures.values()), expected="at least two members")
    return OutOfFold(tuple(said), align(dataset, tuple(said), said), folds, embargo, failures)


def fit_stack(
    seen: OutOfFold,
    graphs: Mapping[str, bytes],
    dataset: Dataset,
    split: TimeSplit,
    settings: Settings,
    measure: Measure,
) -> FittedStack:
    """Fit the combiner on what was predicted out of fold, and judge it on the later parts.

    Nothing is chosen by the validation rows but what members stop early by, and nothing at all by the test rows.

    Args:
        seen: the members out of fold.
        graphs: member -> ONNX graph of the one that was fitted on the whole training part, which serves.
        dataset: features and returns.
        split: its parts.
        settings: of the stack, its costs, the seed.
        measure: figures of (n,) predicted returns.

    Raises:
        ModelError: too few rows, or a forest whose graph says something else.
    """
    own, held, members = settings.stack, seen.held, seen.members
    y = dataset.y[held.rows]
    apart = _apart(dataset, held, seen.embargo)
    choice = choose(held.predicted, y, held.fold, apart, own, settings.train.seed)
    combiner = choice.fit(held.predicted, y)
    known = np.isfinite(choice.best.predicted)
    confidence = fit_sign_probability(choice.best.predicted[known], y[known], own.confidence_rows)
    stack = Stack(own.method, members, combiner, confidence, _round_trip(settings))
    figures = _figures(stack, graphs, dataset, split, seen, choice, measure)
    about = {
        "method": own.method,
        "members": list(members),
        "strength": choice.best.strength,
        "weights": dict(zip(members, combiner.weights.tolist(), strict=True)) if isinstance(combiner, Linear) else None,
        "round_trip": stack.round_trip,
        "mean_return": float(dataset.y[split.train].mean()),
        "rows": {"out_of_fold": len(held), "judged": int(known.sum())},
        "folds": [{"fit": len(f.fit), "stop": len(f.stop), "held": len(f.held)} for f in seen.folds],
        "tried": [{"strength": trial.strength, "mse": trial.mse} for trial in choice.trials],
        "improvement": {part: improvements(_of_part(figures, part)) for part in figures[STACKED]},
    }
    return FittedStack(stack, write(stack), figures, about, seen.failures)


def _apart(dataset: Dataset, held: Predictions, embargo: int) -> Callable[[BoolArray, BoolArray], BoolArray]:
    """Of rows to fit on and rows to predict, the former whose labels end before the latter and the embargo."""
    time, ends = dataset.time[held.rows], dataset.span_end[held.rows]

    def apart(learned: BoolArray, predicted: BoolArray) -> BoolArray:
        return np.asarray(learned & (ends + embargo < time[predicted].min()))

    return apart


def _round_trip(settings: Settings) -> float:
    """The cost of buying and selling again, as a fraction."""
    if settings.stack.round_trip >= 0:
        return settings.stack.round_trip
    return 2 * (settings.costs.taker_fee + settings.costs.slippage)


def _figures(
    stack: Stack,
    graphs: Mapping[str, bytes],
    dataset: Dataset,
    split: TimeSplit,
    seen: OutOfFold,
    choice: TunedCombiner,
    measure: Measure,
) -> dict[str, dict[str, Any]]:
    """Name -> part -> figures; of the later parts by the graphs that serve."""
    names, held = stack.members, seen.held
    known = np.isfinite(choice.best.predicted)
    means = np.array([dataset.y[fold.fit].mean() for fold in seen.folds])[held.fold]
    parts = {
        "out_of_fold": part_figures(
            measure,
            dataset,
            held.rows[known],
            names,
            held.predicted[known],
            choice.best.predicted[known],
            means[known],
            stack.round_trip,
        )
    }
    sessions = {name: OnnxSession(graphs[name], dataset.inputs.X.shape[1], name) for name in names}
    mean = dataset.y[split.train].mean(keepdims=True)
    for part, wanted in (("validation", split.validation), ("test", split.test)):
        said = {name: {0: _ask(session, dataset, wanted)} for name, session in sessions.items()}
        both = align(dataset, names, said)
        if len(both):
            stacked = stack.combiner.combine(both.predicted)
            cost = stack.round_trip
            parts[part] = part_figures(measure, dataset, both.rows, names, both.predicted, stacked, mean, cost)
    return {name: {part: rows[name] for part, rows in parts.items()} for name in parts["out_of_fold"]}


def _ask(session: OnnxSession, dataset: Dataset, wanted: IntArray) -> tuple[IntArray, FloatArray]:
    X, rows = dataset.read(wanted, session.window)
    return rows, session.run(X)[:, 0] if len(rows) else np.empty(0)


def _of_part(figures: Mapping[str, Mapping[str, Any]], part: str) -> dict[str, Any]:
    return {name: parts[part] for name, parts in figures.items()}
