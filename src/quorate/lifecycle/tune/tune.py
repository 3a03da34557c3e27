"""Search for settings of the members, the feature set, the horizon and the band, and judge the winner once."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from quorate.core.arguments import path_of
from quorate.core.progress import Progress, silent
from quorate.workflows.inputs.arguments import require_arguments, require_callback, require_count, settings_of
from quorate.workflows.inputs.selection import Selection, open_selection, split_names

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.core.types import Candles
    from quorate.lifecycle.tune.result import TuneResult
    from quorate.lifecycle.tune.score import SpanScorer
    from quorate.lifecycle.tune.spans import StudySpans
    from quorate.lifecycle.tune.study_folder import StudyFolder
    from quorate.lifecycle.tune.trial_lines import TrialLines
    from quorate.workflows.inputs.market_data import Data
    from quorate.workflows.runs.trials import RunRecord

# What a trial depends on, beside the members' own settings; other settings may differ when a study is resumed.
_SECTIONS = ("target", "split", "vote", "features")


def tune(
    data: Data,
    *,
    models: Sequence[str] | str | None = None,
    study: Path | str | None = None,
    minutes: float | None = None,
    trials: int | None = None,
    workers: int | None = None,
    settings: Settings | None = None,
    record: RunRecord | None = None,
    progress: Progress = silent,
    **selection: Unpack[Selection],
) -> TuneResult:
    """Search for better settings; begins a study, or resumes the one in the folder.

    When the budget or the number of trials is used up, the winner is judged on the last part of the span, which no
    trial has read. That is done once: a study that was judged only shows its judgement.

    Args:
        data: a Freqtrade data folder, or candles as `open_source` takes them.
        models: registered names of the members, as a sequence or a text with commas; None for those of the vote.
        study: folder; None for the setting.
        minutes: budget over all runs of the study; None for the setting.
        trials: most trials in all; None for as many as the budget allows.
        workers: processes, each with one trial; None for the setting.
        settings: as they are; None for those of quorate.toml and the environment.
        record: where the trials are recorded; None for the trial log of the settings.
        progress: of reading, searching and judging.
        **selection: `symbols` or `top`, `timeframe` (default "1h"), `start`, `end`.

    Raises:
        ArgumentError: a selection that cannot be resolved.
        MissingExtraError: Optuna is not installed.
        ModelError: an unknown member, or one that cannot be fitted with the settings as they are.
        DataError: no candles, or another process writes into the study.
        EvaluationError: too short a span, a study of other data, code or settings, or a damaged one.
    """
    from quorate.ensemble.recipes import RECIPES
    from quorate.evaluation.provenance import code_version, data_hash
    from quorate.evaluation.walk_forward.walk import require_members
    from quorate.lifecycle.tune.score import SpanScorer
    from quorate.lifecycle.tune.space import Range, search_space, settings_as_they_are
    from quorate.lifecycle.tune.spans import split_span
    from quorate.lifecycle.tune.study_folder import StudyFolder, require_optuna
    from quorate.lifecycle.tune.trial_lines import VERB, TrialLines
    from quorate.workflows.inputs.market_data import data_name, read_funding, read_panel
    from quorate.workflows.runs.trials import TrialRecorder

    began = time.monotonic()
    require_arguments(tune, selection, Selection.__optional_keys__)
    settings = settings_of(settings)
    for name, count in (("trials", trials), ("workers", workers)):
        require_count(name, count)
    require_callback(progress=progress)
    own = settings.tune
    own = replace(own, minutes=own.minutes if minutes is None else minutes)
    settings = replace(settings, tune=replace(own, workers=own.workers if workers is None else workers))
    require_optuna()
    recorder = TrialRecorder.open(record, settings, verb=VERB, data=data_name(data))
    members = split_names(models, "models") or RECIPES["vote"].models
    require_members(members, settings.models)
    space = search_space(members, settings)
    source, markets = open_selection(data, selection, settings)
    panel = read_panel(source, markets.timeframe, markets.symbols, progress, start=markets.start, end=markets.end)
    funding = read_funding(source, tuple(panel))
    spans = split_span(panel, markets.start, markets.end, settings)
    panel = {symbol: candles.between(end=spans.judge[1]) for symbol, candles in panel.items()}
    first = settings_as_they_are(space, settings)
    digest, code = data_hash(panel, funding), code_version()
    synthetic = any(candles.synthetic for candles in panel.values())
    shared = _shared(panel, spans, settings)
    about = {
        "members": list(members),
        **shared,
        "synthetic": synthetic,
        "space": {name: asdict(each) if isinstance(each, Range) else list(each) for name, each in space.items()},
        "as_they_are": first,
        "settings": _fixed_settings(members, settings),
        "data": digest,
        "code": code,
    }
    folder = StudyFolder(path_of("search for settings", "study", own.study if study is None else study))
    lines = TrialLines(recorder.trial_log, settings, members, shared, code, digest, synthetic)
    searched = {symbol: candles.between(end=spans.search_end) for symbol, candles in panel.items()}
    scorers = [
        SpanScorer(part, funding, members, settings, spans.start, spans.embargo_ms) for part in (searched, panel)
    ]
    with folder.locked():
        folder.begin(about)
        cut = folder.repair()
        state = _run(folder, scorers, spans, space, first, lines, trials, progress, began)
    return _result(folder, {**state, "cut_line": cut, "provenance": _provenance(recorder, digest, code)})


def tune_status(study: Path | str | None = None, *, settings: Settings | None = None) -> TuneResult:
    """A study as it stands, also while another process searches.

    Args:
        study: folder; None for the setting.
        settings: None for those of quorate.toml and the environment.

    Raises:
        EvaluationError: no study in this folder, or a damaged one.
        MissingExtraError: Optuna is not installed.
    """
    from quorate.core.errors import EvaluationError
    from quorate.lifecycle.tune.study_folder import StudyFolder, require_optuna

    settings = settings_of(settings)
    require_optuna()
    folder = StudyFolder(path_of("read a study", "study", study or settings.tune.study))
    if not folder.exists():
        raise EvaluationError(
            f"read the study {folder.path}",
            found="no study.json",
            expected="the folder of a study",
            remedy="Begin one: quorate tune --data FOLDER --study FOLDER.",
        )
    return _result(folder, {})


def _run(
    folder: StudyFolder,
    scorers: Sequence[SpanScorer],
    spans: StudySpans,
    space: Mapping[str, Any],
    first: dict[str, Any],
    lines: TrialLines,
    trials: int | None,
    progress: Progress,
    began: float,
) -> dict[str, Any]:
    """Search and judge, if that was not done; what this run did."""
    from quorate.lifecycle.tune.judge import judgement_of, score_on_later_bars
    from quorate.lifecycle.tune.search import TrialSearch
    from quorate.lifecycle.tune.trial_state import as_they_are, best_of, ended

    settings = lines.settings
    if folder.judgement() is not None:
        return {"already_judged": True, "repeated": 0}
    study = folder.open(settings.tune.prune)
    search = TrialSearch(
        study,
        scorers[0],
        spans,
        space,
        first,
        settings,
        lines.searched,
        minutes=settings.tune.minutes,
        trials=trials,
        progress=progress,
        began=began,
    )
    repeated = search.run(settings.tune.workers)
    done = ended(study)
    before, best = as_they_are(done, first), best_of(done)
    if before is not None and best is not None and best.number != before.number:
        progress("judging on later bars", 0, 1)
        tried = (before.choices, best.choices)
        scores = score_on_later_bars(
            scorers[1], spans, *tried, settings.tune.workers, lambda: None, replace(settings.engine, folder="")
        )
        further = {"earlier_judgements": lines.earlier_judgements(spans.judge)}
        judgement = judgement_of((before, scores[0]), (best, scores[1]), spans, settings.evaluation, further)
        lines.judged(list(zip(tried, scores, strict=True)), spans.judge)
        folder.judge(judgement)
        progress("judging on later bars", 1, 1)
    return {"already_judged": False, "repeated": repeated}


def _result(folder: StudyFolder, state: Mapping[str, Any]) -> TuneResult:
    from quorate.lifecycle.tune.result import TuneResult, as_document
    from quorate.lifecycle.tune.trial_state import SPENT, ended

    about = folder.about() or {}
    study = folder.read()
    seconds, done = (0.0, []) if study is None else (float(study.user_attrs.get(SPENT, 0.0)), ended(study))
    spent = {"study": str(folder.path), "spent_minutes": round(seconds / 60, 2)}
    return TuneResult(as_document(about, done, folder.judgement(), {**spent, **state}))


def _shared(panel: Mapping[str, Candles], spans: StudySpans, settings: Settings) -> dict[str, Any]:
    """What all trials of a study have in common, JSON-safe."""
    from quorate.lifecycle.tune.result import spans_document

    return {
        "symbols": sorted(panel),
        "timeframe": next(iter(panel.values())).timeframe,
        "spans": spans_document(spans, spans.judge[1]),
        "question": {"horizon": settings.target.horizon, "band": settings.target.band},
    }


def _fixed_settings(members: Sequence[str], settings: Settings) -> dict[str, Any]:
    """The settings that a trial depends on and that a study does not vary, JSON-safe."""
    from quorate.models.own_models import own_sources

    tune = {
        each.name: getattr(settings.tune, each.name)
        for each in fields(settings.tune)
        if each.name not in ("study", "minutes", "workers")
    }
    return {
        **{name: _plain(getattr(settings, name)) for name in _SECTIONS},
        "models": settings.models.to_json(members),
        "own_models": dict(own_sources(members, settings.models)) if settings.models.modules else {},
        "feature_set": settings.train.features,
        "seed": settings.train.seed,
        "threads": settings.train.threads,
        "tune": tune,
    }


def _plain(section: Any) -> dict[str, Any]:
    """The values of a section, JSON-safe."""
    values = {each.name: getattr(section, each.name) for each in fields(section)}
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()}


def _provenance(recorder: Any, digest: str, code: str) -> dict[str, Any]:
    from quorate.core.clock import iso_ms, now_ms

    log = recorder.trial_log
    found = {"command": recorder.command, "data": recorder.data, "data_hash": digest, "code": code}
    return {**found, "measured": iso_ms(now_ms()), **({} if log is None else {"ledger": str(log.path)})}
