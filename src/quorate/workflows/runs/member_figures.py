"""Figures of the members, alone and together, on rows that they were not fitted on, as training reports them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from quorate.core.progress import Progress
from quorate.core.types import ActionArray, Float32Array, FloatArray, IntArray

if TYPE_CHECKING:
    from quorate.core.settings import EvaluationSettings, Settings
    from quorate.ensemble.column_choice import CandidateRows, ChooseColumns, ColumnChoice
    from quorate.ensemble.measure import DescribeTraining, HeldOutOutcomes, MeasureAgreement, MeasureFloors
    from quorate.ensemble.recipes import RecipeName
    from quorate.models import Model


def measure_of(recipe: RecipeName, settings: Settings) -> Any:
    """The function that measures a member's outputs during training: `ensemble.training.fit_member.Measure`."""
    if recipe == "vote":
        return partial(class_figures, settings.evaluation)
    return partial(return_figures, settings.evaluation, settings.target.return_horizon)


def floors_of(settings: Settings) -> MeasureFloors:
    """The function that measures floors during training."""

    def measure(
        scores: Mapping[str, FloatArray],
        calibrated: Mapping[str, FloatArray],
        volatility: FloatArray,
        time: IntArray,
        forward_return: FloatArray,
        members: int,
    ) -> Mapping[str, Any]:
        from quorate.evaluation.metrics.floors import ScoredBars, floor_figures

        return floor_figures(ScoredBars(scores, calibrated, volatility, time, forward_return), settings, members)

    return measure


def agreement_of(settings: Settings) -> MeasureAgreement:
    """The function that measures during training how often members err together."""

    def measure(y: ActionArray, scores: Mapping[str, FloatArray], time: IntArray) -> Mapping[str, Any]:
        from quorate.evaluation.metrics.agreement import agreement_figures
        from quorate.evaluation.statistics.block_bootstrap import TimeBlocks

        order = np.argsort(time, kind="stable")
        tables = {name: table[order] for name, table in scores.items()}
        return agreement_figures(y[order], tables, TimeBlocks(time[order], settings.evaluation))

    return measure


def description_of(settings: Settings) -> DescribeTraining:
    """The function that describes a training in its bundle: the reference of the watch for drift.

    A training of too few days has none.
    """

    def describe(
        names: Sequence[str],
        X: Float32Array,
        time: IntArray,
        held_out: HeldOutOutcomes | None,
    ) -> Mapping[str, bytes]:
        from quorate.evaluation.drift_reference import FILE_NAME, fit_reference

        found = fit_reference(settings.drift, names, X, time, held_out)
        return {FILE_NAME: found.content()} if found.watches else {}

    return describe


def choice_of(settings: Settings) -> ChooseColumns:
    """The function that chooses columns on training rows, for the feature set "auto"."""

    def choose(rows: CandidateRows, progress: Progress) -> ColumnChoice:
        from quorate.core.sections.models import TreeSettings
        from quorate.evaluation.feature_selection import choose_columns
        from quorate.models.registry import build

        models, train, own = settings.models, settings.train, settings.auto_features
        boosted = getattr(models, own.model, None)
        if isinstance(boosted, TreeSettings) and boosted.trees > own.trees:
            fewer: dict[str, Any] = {own.model: replace(boosted, trees=own.trees)}
            models = replace(models, **fewer)

        def make(columns: tuple[str, ...]) -> Model:
            return build(own.model, "class", models, seed=train.seed, threads=train.threads, features=columns)

        return choose_columns(rows, progress, make=make, settings=settings)

    return choose


def class_figures(
    settings: EvaluationSettings,
    y: ActionArray,
    scores: FloatArray,
    prior: FloatArray,
    time: IntArray,
    forward_return: FloatArray,
) -> dict[str, Any]:
    """Figures of scores with their intervals, and the class prior's log-loss on the same rows.

    Args:
        settings: of the bootstrap.
        y: (n,) classes.
        scores: (n, 3); NaN where the member abstained.
        prior: (3,) class shares of the training rows.
        time: (n,) open times in ms, in any order.
        forward_return: (n,) fractions.
    """
    from quorate.evaluation.labelled_predictions import LabelledPredictions
    from quorate.evaluation.metrics.classification import log_loss, prior_scores, unforeseen, why_no_skill
    from quorate.evaluation.metrics.classification_report import reliability_json, score_figures
    from quorate.evaluation.statistics.block_bootstrap import TimeBlocks

    rows = np.zeros(len(y), np.int64)
    order = np.argsort(time, kind="stable")
    y, scores, time, forward_return = y[order], scores[order], time[order], forward_return[order]
    sample = LabelledPredictions(y, forward_return, time, rows, ("all",), {}, rows.astype(np.int8))
    figures = score_figures(sample, scores, prior, TimeBlocks(time, settings))
    figures["reliability"] = reliability_json(sample, scores, settings.bins, settings.confidence)
    shares = prior_scores(prior, len(y))
    if not len(y) or unforeseen(y, shares):
        missing = {**figures.get("missing", {}), "prior_log_loss": why_no_skill(y, shares)}
        return {**figures, "prior_log_loss": None, "missing": missing}
    return {**figures, "prior_log_loss": log_loss(y, shares)}


def return_figures(
    settings: EvaluationSettings,
    horizon: int,
    y: FloatArray,
    predicted: FloatArray,
    mean: FloatArray,  # noqa: ARG001 - a baseline with figures of its own
    time: IntArray,
    forward_return: FloatArray,  # noqa: ARG001 - the same as y
) -> dict[str, Any]:
    """Figures of predicted returns with their intervals, and the errors in percent too.

    Args:
        settings: of the bootstrap.
        horizon: bars that a return reaches over.
        y: (n,) returns, fractions.
        predicted: (n,) fractions; NaN where the member abstained.
        mean: (1,) mean return of the training rows.
        time: (n,) open times in ms, in any order.
        forward_return: (n,) fractions.
    """
    from quorate.evaluation.metrics import regression
    from quorate.evaluation.statistics.block_bootstrap import TimeBlocks

    order = np.argsort(time, kind="stable")
    blocks = TimeBlocks(time[order], settings)
    figures = regression.return_figures(y[order], predicted[order], time[order], blocks, horizon=horizon)
    return {**figures, **in_percent(figures)}


def in_percent(figures: Mapping[str, Any]) -> dict[str, float | None]:
    """RMSE and MAE in percent, MSE in squared percent.

    >>> in_percent({"rmse": 0.02, "mae": None, "mse": 0.0004})
    {'rmse_pct': 2.0, 'mae_pct': None, 'mse_pct2': 4.0}
    """
    units = (("rmse", "rmse_pct", 1e2), ("mae", "mae_pct", 1e2), ("mse", "mse_pct2", 1e4))
    return {shown: None if figures[name] is None else figures[name] * unit for name, shown, unit in units}
