"""Train members along a walk-forward, and evaluate all test spans as one run of one account."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Unpack

from quorate.core.arguments import WHOLE, path_of, require_types
from quorate.core.progress import Part, Progress, RunEstimate, silent
from quorate.workflows.inputs.arguments import (
    require_arguments,
    require_callback,
    require_count,
    require_flags,
    settings_of,
    with_features,
    with_policy,
)
from quorate.workflows.inputs.selection import Selection, open_selection, split_names
from quorate.workflows.results import Evaluation

if TYPE_CHECKING:
    from pathlib import Path

    from quorate.core.settings import Settings
    from quorate.core.types import MarketStatistics, Policy
    from quorate.evaluation.walk_forward.labelled_bars import LabelledBars
    from quorate.features import FeatureSet
    from quorate.workflows.inputs.market_data import Data
    from quorate.workflows.inputs.selected_data import MarketData
    from quorate.workflows.inputs.selection import Markets
    from quorate.workflows.runs.trials import RunRecord

# Trained on the same rows as the members as baselines, without a vote.
_BASELINES = ("logistic", "log_har")

_JUDGING = "trading and judging"
_STAGES = ("candles", "features and labels", "training and scoring", _JUDGING)

# Seconds per bar of trading and judging, on one core of an EPYC 9004; and what is judged once, in bars.
_JUDGING_RATE, _JUDGING_FIXED = 8e-5, 50_000


def walk_forward(
    data: Data,
    *,
    models: Sequence[str] | str | None = None,
    folds: int | None = None,
    rolling: bool = False,
    select: int | None = None,
    policy: Policy | None = None,
    features: str | None = None,
    settings: Settings | None = None,
    record: RunRecord | None = None,
    predictions: Path | str | None = None,
    progress: Progress = silent,
    **selection: Unpack[Selection],
) -> Evaluation:
    """Train and test an ensemble along a walk-forward, beside its baselines on the same bars.

    Each fold is trained on bars before its test span; all test spans are one run of one account.

    Args:
        data: a Freqtrade data folder, or candles as `open_source` takes them.
        models: registered names of the members, as a sequence or a text with commas; None for those of the vote.
        folds: test spans; None for the setting.
        rolling: train on the newest bars only, instead of all from the first on.
        select: members that vote on each day, chosen by the labels of earlier days; None for the setting, 0 for all.
        policy: decide by this policy instead of the one that later rows choose.
        features: feature set, instead of the setting `train.features`; "auto" has columns chosen in each fold, on its
            training rows.
        settings: of models, target, split, vote, account; None for those of quorate.toml and the environment.
        record: where the run is recorded; None for the trial log of the settings.
        predictions: file to write each member's scores of the test spans to, from which weights are fitted; None for
            none.
        progress: of reading, training, trading and scoring.
        **selection: `symbols` or `top`, `timeframe` (default "1h"), `start`, `end`.

    Raises:
        ArgumentError: a selection that cannot be resolved.
        DataError: no symbol has a bar in the span.
        FeatureError: an unknown feature set or column.
        ModelError: an unknown member, or none that could be fitted.
        EvaluationError: too few bars for the folds, or the trial log cannot be written.
        DataError: `predictions` cannot be written.
        RecordingError: a reply of the panel that is altered, or of a model that may know the bar.
    """
    from quorate.core.clock import iso_ms
    from quorate.ensemble.recipes import RECIPES
    from quorate.evaluation.backtest_setup import BacktestSetup
    from quorate.evaluation.feature_selection import fold_choices
    from quorate.evaluation.out_of_fold import MemberPredictions
    from quorate.evaluation.out_of_fold.predictions_file import write_predictions
    from quorate.evaluation.provenance import statistics_hash
    from quorate.evaluation.verdict import with_verdict
    from quorate.evaluation.walk_forward.evaluate_walk import evaluate_walk
    from quorate.evaluation.walk_forward.permutation_importance import PermutationImportance
    from quorate.evaluation.walk_forward.walk import WalkOptions, require_members, walk
    from quorate.features import feature_set
    from quorate.features.column import AUTO
    from quorate.market.quality.quiet_bars import count_quiet
    from quorate.models.own_models import own_sources
    from quorate.trading.account.currency import account_currency
    from quorate.workflows.inputs.market_data import data_name, read_statistics
    from quorate.workflows.inputs.selected_data import read_market_data
    from quorate.workflows.runs.judged_entries import judge_entries
    from quorate.workflows.runs.member_figures import choice_of
    from quorate.workflows.runs.trials import TrialRecorder

    require_arguments(walk_forward, selection, Selection.__optional_keys__)
    settings = with_features(with_policy(settings_of(settings), policy), features)
    require_count("folds", folds)
    settings = _selecting(settings, select)
    require_flags(rolling=rolling)
    require_callback(progress=progress)
    file = None if predictions is None else path_of("walk forward", "predictions", predictions)
    recorder = TrialRecorder.open(record, settings, verb="evaluate", data=data_name(data))
    members = split_names(models, "models") or RECIPES["vote"].models
    require_members(members, settings.models)
    auto = settings.train.features == AUTO
    columns = feature_set(settings.auto_features.candidates if auto else settings.train.features, settings.features)
    source, markets = open_selection(data, selection, settings)
    clock = [time.perf_counter()]
    read = read_market_data(source, markets, progress)
    currency = account_currency(read.panel, settings.account)
    clock.append(time.perf_counter())
    published = read_statistics(source, tuple(read.panel), markets.timeframe) if columns.context else {}
    rows = _label(read, published, markets, settings, columns, members)
    progress("features and labels", len(read.panel), len(read.panel))
    clock.append(time.perf_counter())
    importance = PermutationImportance(rows, members, settings.evaluation)
    options = WalkOptions(
        folds=folds,
        anchored=not rolling,
        baselines=_BASELINES,
        examination=importance,
        choose=choice_of(settings) if auto else None,
    )
    estimate = RunEstimate.of(progress)
    estimate.plan({_JUDGING: Part(_JUDGING, len(rows) + _JUDGING_FIXED, _JUDGING_RATE, alone=True)})
    walked = walk(rows, members, settings, options, estimate)
    if file is not None:
        write_predictions(file, MemberPredictions.of_walk(walked, read.panel))
    clock.append(time.perf_counter())
    setup = BacktestSetup(
        read.panel,
        read.funding,
        settings,
        settings.target.horizon,
        walked.start,
        markets.end,
        read.marks,
        read.contracts,
    )
    frames = walked.frames(settings.vote)
    judged = judge_entries(settings.llm, frames, setup)
    estimate.begin(_JUDGING)
    card = evaluate_walk(walked, frames, setup, settings, estimate)
    estimate.end(_JUDGING)
    configurations = list(card.configurations)
    if judged is not None:
        ordinary = configurations[0]
        with_panel = setup.trade(frames, judged.shares)
        configurations.append(judged.configuration(ordinary, with_panel))
        card.figures["panel"] = judged.section(with_panel, ordinary.result, frames, settings.evaluation)
        card.figures["warnings"] += judged.marks
    card.figures["importance"] = importance.to_json()
    if walked.choices:
        card.figures["feature_selection"] = fold_choices(walked.choices, columns.names)
    choices = {
        "kind": "walk-forward",
        "timeframe": markets.timeframe,
        "symbols": sorted(read.panel),
        "from": iso_ms(int(rows.time.min())),
        "to": iso_ms(int(rows.time.max()) + rows.bar_ms),
        "folds": len(walked.folds),
        "training": "rolling" if rolling else "anchored",
        "features": settings.train.features,
        "split": asdict(settings.split),
        "seed": settings.train.seed,
    }
    if auto:
        choices["auto_features"] = asdict(settings.auto_features)
    if published:
        choices["statistics"] = statistics_hash(published)
    if columns.own:  # another source under the same name is another trial
        choices["own_columns"] = {source.name: source.digest for source in columns.own}
    if settings.models.modules:
        choices["own_models"] = dict(own_sources(members, settings.models))
    if walked.membership.applies(members):
        choices["select"] = asdict(settings.select)
    card.figures.update(recorder.record(configurations, setup, choices, settings))
    clock.append(time.perf_counter())
    header = {
        "models": list(members),
        "features": settings.train.features,
        "training": choices["training"],
        "in_training_span": False,
        "unseen_symbols": [],
        "currency": currency,
        "quiet_bars": count_quiet(read.panel, markets.start, markets.end),
        "contracts_unknown": sorted(read.panel.keys() - setup.contracts.keys()),
        "bars": len(rows),
        "cost": {
            name: round(after - before, 3) for name, (before, after) in zip(_STAGES, pairwise(clock), strict=True)
        },
    }
    return Evaluation(with_verdict({**header, **card.figures}), frames, card.configurations[0].result, setup, card)


def _selecting(settings: Settings, select: int | None) -> Settings:
    """The settings with another number of members that vote.

    Raises:
        ArgumentError: not a whole number.
        SettingsError: one out of range.
    """
    if select is None:
        return settings
    require_types("walk forward", select=(select, WHOLE))
    return replace(settings, select=replace(settings.select, size=select))


def _label(
    read: MarketData,
    statistics: Mapping[str, MarketStatistics],
    markets: Markets,
    settings: Settings,
    features: FeatureSet,
    members: Sequence[str],
) -> LabelledBars:
    """Features and labels of every bar, once for all folds, and the columns that only baselines read."""
    from quorate.evaluation.walk_forward.labelled_bars import build_rows
    from quorate.models.registry import model_class
    from quorate.targets import ForwardClass

    target = ForwardClass(settings.target.horizon, settings.target.band)
    beside = [
        column for name in _BASELINES if name not in members for column in model_class(name, settings.models).reads
    ]
    return build_rows(read.panel, features, target, markets.start, markets.end, read.funding, beside, statistics)
