"""Search for member weights on stored scores out of fold, or on the outcomes of a paper account."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from quorate.core.arguments import path_of
from quorate.core.progress import Progress, silent
from quorate.workflows.inputs.arguments import require_callback, settings_of

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.evaluation.out_of_fold import MemberPredictions
    from quorate.lifecycle.weights.weight_search import WeightSearch
    from quorate.workflows.inputs.market_data import Data
    from quorate.workflows.inputs.predictors import BundleLike
    from quorate.workflows.runs.trials import RunRecord


def weights_from_file(
    path: Path | str,
    *,
    settings: Settings | None = None,
    record: RunRecord | None = None,
    progress: Progress = silent,
) -> WeightSearch:
    """Search on the scores of a walk-forward.

    Args:
        path: file that `quorate evaluate --predictions` wrote.
        settings: None for those of quorate.toml and the environment.
        record: where the trials are recorded; None for the trial log of the settings.
        progress: callback.

    Raises:
        DataError: a file that is missing, or another one.
        EvaluationError: fewer than two folds, or the trial log cannot be written.
        MissingExtraError: cma is not installed.
    """
    from quorate.evaluation.out_of_fold.predictions_file import read_predictions

    require_callback(progress=progress)
    settings, file = settings_of(settings), path_of("search for weights", "path", path)
    return search_weights(read_predictions(file), str(file), settings=settings, record=record, progress=progress)


def weights_from_account(
    bundle: BundleLike,
    account: str | None = None,
    journal: str | None = None,
    *,
    data: Data | None = None,
    exchange: str | None = None,
    settings: Settings | None = None,
    record: RunRecord | None = None,
    progress: Progress = silent,
) -> WeightSearch:
    """Search on the decisions of a paper account whose outcome is known by now.

    Args:
        bundle: of the account; of a folder of bundles, the one that it trades by.
        account: name; None for the setting.
        journal: URL of its database; None for the setting.
        data: stored candles that show the outcomes.
        exchange: instead of `data`: an exchange, as ccxt names it.
        settings: None for those of quorate.toml and the environment; the vote is that of the bundle.
        record: where the trials are recorded; None for the trial log of the settings.
        progress: callback.

    Raises:
        ArgumentError: neither `data` nor `exchange`, or both.
        JournalError: no such account, or a journal that cannot be read.
        EvaluationError: too few outcomes, or the trial log cannot be written.
        MissingExtraError: cma is not installed.
    """
    from quorate.core.errors import EvaluationError
    from quorate.evaluation.out_of_fold import MemberPredictions
    from quorate.trading.journal import Journal
    from quorate.trading.paper import DecidedVotes
    from quorate.workflows.inputs.predictors import require_bundle
    from quorate.workflows.paper import PaperAccount
    from quorate.workflows.paper.live_decisions import candle_source, live_decisions_of
    from quorate.workflows.paper.measured_bundle import trained_of

    require_callback(progress=progress)
    settings = settings_of(settings)
    require_bundle(bundle)
    opened, votes = PaperAccount(account, journal, settings=settings), DecidedVotes()
    with candle_source(data, exchange, settings) as source:
        with Journal.open(opened.url, opened.name, role="reader", settings=settings.journal) as read:
            votes.refresh(read)
        trained = trained_of(bundle, votes.bundle, settings)
        live = live_decisions_of(opened.name, votes, trained, source, settings)
    if not live.outcomes.known:
        raise EvaluationError(
            f"search for weights in the account '{opened.name}'",
            found=f"no decision whose outcome is known, {live.outcomes.waiting} that wait",
            expected="decisions older than the target's horizon, and the candles after them",
            remedy="Let the account run longer, or name the folder with its newest candles.",
        )
    rows = MemberPredictions.of_frames(live.with_candles, live.candles, live.target, settings.weights.folds)
    own = replace(settings, vote=live.settings.vote)
    return search_weights(rows, f"account '{opened.name}'", settings=own, record=record, progress=progress)


def search_weights(
    rows: MemberPredictions,
    source: str,
    *,
    settings: Settings,
    record: RunRecord | None = None,
    progress: Progress = silent,
) -> WeightSearch:
    """Search on scores out of fold.

    Args:
        rows: with at least two folds.
        source: where they came from.
        settings: of the search, the vote, the costs and the evaluation.
        record: where the trials are recorded; None for the trial log of the settings.
        progress: callback.

    Raises:
        EvaluationError: fewer than two folds, or the trial log cannot be written.
        MissingExtraError: cma is not installed.
    """
    from quorate.core.clock import iso_ms, now_ms
    from quorate.ensemble.stack.expanding_folds import embargo_ms
    from quorate.evaluation.provenance import code_version
    from quorate.lifecycle.weights.comparison import WeightComparison
    from quorate.lifecycle.weights.document import as_document
    from quorate.lifecycle.weights.evolve import require_cma
    from quorate.lifecycle.weights.nested import nested
    from quorate.lifecycle.weights.schemes import schemes_of
    from quorate.lifecycle.weights.trials import VERB, predictions_hash, weight_trials
    from quorate.lifecycle.weights.weight_search import WeightSearch
    from quorate.workflows.runs.trials import TrialRecorder

    require_cma()
    recorder = TrialRecorder.open(record, settings, verb=VERB, data=source)
    horizon = int((rows.span_end - rows.time).max()) // rows.bar_ms
    schemes = schemes_of(tuple(rows.members), settings)
    embargo = embargo_ms(settings.split.embargo_bars, horizon, rows.bar_ms)
    comparison = WeightComparison(nested(rows, schemes, settings, embargo, progress), schemes, settings, horizon)
    found, code, now = predictions_hash(rows), code_version(), iso_ms(now_ms())
    choices = {
        "members": list(rows.members),
        "symbols": sorted(rows.symbols),
        "timeframe": rows.timeframe,
        "from": iso_ms(int(rows.time.min())),
        "to": iso_ms(int(rows.time.max()) + rows.bar_ms),
        "folds": int(rows.fold.max()) + 1,
        "horizon": horizon,
    }
    provenance = {
        "command": recorder.command,
        "data": recorder.data,
        "data_hash": found,
        "code": code,
        "measured": now,
    }
    if recorder.trial_log is not None:
        trials = weight_trials(comparison, choices, time=now, code=code, data=found)
        recorder.trial_log.record(trials)
        provenance |= {"ledger": str(recorder.trial_log.path), "trials": str(len(trials))}
    return WeightSearch(as_document(comparison, rows, choices, provenance), comparison)
