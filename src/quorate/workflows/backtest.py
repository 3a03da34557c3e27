"""Trade a bundle's decisions in the simulated account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from quorate.core.progress import Progress, silent
from quorate.workflows.inputs.arguments import require_arguments, require_callback, require_flags, settings_of
from quorate.workflows.inputs.selection import Selection
from quorate.workflows.results import Backtest

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.core.types import Policy
    from quorate.evaluation.metrics.equity import EquityCurve
    from quorate.workflows.inputs.market_data import Data
    from quorate.workflows.inputs.predictors import BundleLike
    from quorate.workflows.runs.bundle_run import BundleRun
    from quorate.workflows.runs.trials import RunRecord


def backtest(
    bundle: BundleLike,
    data: Data,
    *,
    policy: Policy | None = None,
    allow_training_span: bool = False,
    guards: bool = False,
    settings: Settings | None = None,
    record: RunRecord | None = None,
    progress: Progress = silent,
    **selection: Unpack[Selection],
) -> Backtest:
    """Trade a bundle's decisions on later candles in the simulated account.

    The account has fees, slippage, funding, stops, targets and time exits.

    Args:
        bundle: folder of a bundle, of bundles (its champion) or of a series, or one that is loaded.
        data: a Freqtrade data folder, or candles as `open_source` takes them.
        policy: decide by this policy instead of the bundle's own.
        allow_training_span: also use bars that trained the bundle; the result is marked.
        guards: apply guards and ladder as paper trading does; no guard is re-armed by a person.
        settings: account, costs, exits; None for those of quorate.toml and the environment.
        record: where the run is recorded; None for the trial log of the settings.
        progress: of reading, predicting and trading.
        **selection: `symbols` (default: every market of the data of the kind the bundle was trained on), `start`,
            `end`.

    Raises:
        ArgumentError: a selection that cannot be resolved.
        BundleError: the bundle is missing, altered, or lacks the policy.
        TrainingSpanError: the span overlaps the training span and that is not allowed.
        DataError: candles that cannot be read, or none in the span.
        EvaluationError: the trial log cannot be written.
    """
    from quorate.evaluation.baselines.random_entries import random_draws, random_entry_figures
    from quorate.evaluation.criteria import criteria
    from quorate.evaluation.metrics.decisions import decision_figures
    from quorate.evaluation.metrics.equity import equity_figures
    from quorate.evaluation.metrics.floors import lower_floors
    from quorate.evaluation.metrics.trades import trade_figures, trade_groups
    from quorate.evaluation.verdict import with_verdict
    from quorate.workflows.inputs.market_data import data_name
    from quorate.workflows.inputs.predictors import load_predictor
    from quorate.workflows.runs.bundle_run import run_bundle
    from quorate.workflows.runs.trials import TrialRecorder

    require_arguments(backtest, selection, Selection.__optional_keys__)
    settings = settings_of(settings)
    require_flags(allow_training_span=allow_training_span, guards=guards)
    require_callback(progress=progress)
    recorder = TrialRecorder.open(record, settings, verb="backtest", data=data_name(data))
    run = run_bundle(
        load_predictor(bundle, settings, policy),
        data,
        selection,
        settings,
        allow_training_span=allow_training_span,
        guards=guards,
        progress=progress,
    )
    stats = trade_figures(run.result, settings.evaluation)
    decisions = decision_figures(run.frames.values(), settings.evaluation)
    hold = _buy_and_hold(run)
    figures = None if hold is None else equity_figures(hold, settings.evaluation).to_json()
    draws, accounts = settings.evaluation.draws, []
    for account in random_draws(run.result, run.frames, run.setup.unguarded, draws):
        accounts.append(account)
        progress("trading at random", len(accounts), draws)
    floors: dict[str, Any] = {}
    if not stats["n"] and run.bundle.stack is None:
        members = len(run.bundle.manifest.members)
        floors["floors"] = lower_floors(run.frames, run.candles, run.decision_settings, members)
    document = {
        **run.header,
        **({"warnings": run.marks} if run.marks else {}),
        "guards": guards,
        **run.result.to_json(),
        "policy": run.configuration.choice.get("decides", run.configuration.name),
        "decisions": decisions,
        "stats": stats,
        "groups": trade_groups(run.result, settings.evaluation),
        "baselines": {
            **({} if figures is None else {"buy_and_hold": figures}),
            "random": random_entry_figures(run.result, accounts, settings.evaluation),
        },
        **floors,
        "criteria": criteria(decisions, stats, settings.criteria),
        **recorder.record([run.configuration], run.setup, run.choices, run.decision_settings),
    }
    return Backtest(with_verdict(document), run, hold)


def _buy_and_hold(run: BundleRun) -> EquityCurve | None:
    """Buy-and-hold over the bars of the decisions; None without bars."""
    from quorate.evaluation.baselines.naive import buy_and_hold

    spans = {
        symbol: run.candles[symbol].between(int(frame.time[0]), int(frame.time[-1]) + 1)
        for symbol, frame in run.frames.items()
        if len(frame)
    }
    if not spans:
        return None
    return buy_and_hold(spans, run.result.start_equity_usd, run.settings.costs, run.setup.funding)
