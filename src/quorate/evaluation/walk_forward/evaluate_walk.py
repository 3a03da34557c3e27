"""Evaluation of a walk-forward: one account over all test spans, baselines, figures by fold, and look-ahead checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from quorate.core.clock import iso_ms
from quorate.core.progress import Progress, silent
from quorate.core.settings import Settings
from quorate.core.types import Candles, DecisionFrame, Float32Array, FloatArray
from quorate.evaluation.backtest_setup import BacktestSetup
from quorate.evaluation.baselines.strategies import SingleModel
from quorate.evaluation.evaluate_decisions import BEST_MEMBER, TradedDecisions, evaluate_decisions
from quorate.evaluation.json_values import Figures
from quorate.evaluation.labelled_predictions import LabelledPredictions
from quorate.evaluation.lookahead.implausible_auc import ImplausibleColumn, implausible_columns
from quorate.evaluation.lookahead.truncation import Change, truncation_changes
from quorate.evaluation.metrics import classification
from quorate.evaluation.metrics.policy_evidence import evidence_of
from quorate.evaluation.metrics.skill_split import skill_parts
from quorate.evaluation.scorecard import Scorecard
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.evaluation.walk_forward.fold_rows import FoldRows
from quorate.evaluation.walk_forward.selection_figures import selection_figures
from quorate.evaluation.walk_forward.walk_result import Fit, WalkResult
from quorate.features.build_matrix import build
from quorate.models.pretraining import marks, pretrained_json

_NAMED = 4  # columns in a warning; the JSON document has all of them


def evaluate_walk(
    walk: WalkResult,
    frames: Mapping[str, DecisionFrame],
    setup: BacktestSetup,
    settings: Settings,
    progress: Progress = silent,
) -> Scorecard:
    """Trade the test spans of all folds as one continuous run of one account, and evaluate it.

    Besides the figures of every scorecard, there are `folds`, `lookahead` and `warnings`, and `selection` where not all
    members vote.

    Args:
        walk: scores of the walk-forward.
        frames: symbol -> its decisions, of `walk.frames`.
        setup: candles, funding and account settings; starts with the first test span.
        settings: of the vote, the target and the evaluation.
        progress: callback.
    """
    traded, best_members = _trade(walk, frames, setup, settings)
    progress("trading", 1, 1)
    card = evaluate_decisions(traded, settings, progress)
    figures = card.figures
    figures["baselines"][BEST_MEMBER]["chosen"] = list(best_members)
    figures["folds"] = [
        _fold(walk, fold, fits, best) | {"judgement": dict(policy.report)}
        for fold, fits, best, policy in zip(walk.folds, walk.fits, best_members, walk.policies, strict=True)
    ]
    selection = selection_figures(walk, settings)
    if selection is not None:
        figures["selection"] = selection
    figures["lookahead"], found = _lookahead(walk, setup, settings, card)
    figures["warnings"] += found + marks(walk.pretrained, walk.start)
    if walk.pretrained:
        figures["pretrained"] = pretrained_json(walk.pretrained, walk.start)
    progress("looking for look-ahead", 1, 1)
    return card


def _trade(
    walk: WalkResult, frames: Mapping[str, DecisionFrame], setup: BacktestSetup, settings: Settings
) -> tuple[TradedDecisions, tuple[str, ...]]:
    """The walk's decisions with their backtest, and the best member of each fold."""
    tested = walk.tested
    best, best_members = walk.best_member()

    def single(scores: FloatArray, about: str) -> SingleModel:
        return SingleModel({symbol: scores[rows] for symbol, rows in tested.items()}, about)

    models = {
        name: replace(
            single(scores, f"{name} trained on the same rows"),
            directional=all(fits[name].directional for fits in walk.fits if fits[name].failure is None),
        )
        for name, scores in walk.scores.items()
        if name not in walk.members
    }
    models[BEST_MEMBER] = single(best, "in each fold the member with the lowest log-loss in the folds before")
    calibrated = any(policy.calibration.policy for policy in walk.policies)
    thresholds = [at for policy in walk.policies if (at := policy.report.get("would_act_at")) is not None]
    traded = TradedDecisions(
        frames=frames,
        result=setup.trade(frames),
        setup=setup,
        members=walk.members,
        prior=partial(_prior, walk),
        models=models,
        calibrated=walk.frames(settings.vote, "calibrated") if calibrated else None,
        would_act_at=max(thresholds, default=None),
        voting=walk.voting,
        evidence=evidence_of({f"fold {number}": policy.report for number, policy in enumerate(walk.policies, 1)}),
    )
    return traded, best_members


def _prior(walk: WalkResult, sample: LabelledPredictions) -> FloatArray:
    """(n, 3) class shares of the training rows of the fold that tests each labelled row."""
    starts = np.array([fold.start for fold in walk.folds])
    shares = np.array([walk.prior[fold.test[0]] for fold in walk.folds])
    return np.asarray(shares[np.searchsorted(starts, sample.time, side="right") - 1])


def _lookahead(
    walk: WalkResult, setup: BacktestSetup, settings: Settings, card: Scorecard
) -> tuple[dict[str, Any], list[str]]:
    """Figures of the look-ahead checks, and a warning for each kind of finding."""
    sample, rows, limit = card.sample, walk.rows, settings.evaluation.plausible_auc
    scores = {"ensemble": sample.ensemble(settings.vote), **sample.members}
    directions = {name: classification.directional_score(table) for name, table in scores.items()}
    models = implausible_columns(directions, sample.y, TimeBlocks(sample.time, settings.evaluation), limit)
    trainable = np.flatnonzero(rows.trainable)
    inputs = {name: rows.X[trainable, place] for place, name in enumerate(rows.columns)}
    blocks = TimeBlocks(rows.time[trainable], settings.evaluation)
    columns = implausible_columns(inputs, rows.y[trainable], blocks, limit)
    changed = truncation_changes(
        {symbol: candles.between(end=setup.end) for symbol, candles in setup.candles.items()},
        rows.columns,
        lambda candles: _features(walk, candles),
        start=int(rows.time.min()),
        seed=settings.evaluation.seed,
    )
    figures = {
        "limit": limit,
        "columns": [column.to_json() for column in columns],
        "models": [model.to_json() for model in models],
        "changed": [change.to_json() for change in changed],
    }
    return figures, _warnings(columns, models, changed, synthetic=card.synthetic)


def _features(walk: WalkResult, candles: Candles) -> Float32Array:
    return build(candles, walk.rows.features, walk.rows.contexts.get(candles.symbol))


def _fold(walk: WalkResult, fold: FoldRows, fits: Mapping[str, Fit], best: str) -> dict[str, Any]:
    """One fold, JSON-safe: its spans, and every model's metrics on its labelled test rows."""
    rows = walk.rows
    models = {name: _fold_model(walk, fold, name, fit) for name, fit in fits.items()}
    return {
        "fold": fold.number + 1,
        "train": {
            "from": iso_ms(int(rows.time[fold.train].min())),
            "to": iso_ms(int(rows.time[fold.train].max()) + rows.bar_ms),
            "rows": len(fold.train),
            "purged": fold.purged,
            "embargoed": fold.embargoed,
        },
        "test": {"from": iso_ms(fold.start), "to": iso_ms(fold.end), "rows": len(fold.test)},
        "members": {name: models[name] for name in walk.members},
        "beside": {name: figures for name, figures in models.items() if name not in walk.members},
        "best_member": best,
    }


def _fold_model(walk: WalkResult, fold: FoldRows, name: str, fit: Fit) -> dict[str, Any]:
    """One model in one fold: outcome of its fit, and its metrics."""
    rows = walk.evaluated(fold, name)
    y, scores, prior = walk.rows.y[rows], walk.scores[name][rows], walk.prior[rows]
    none = fit.failure or "no labelled row"
    unskilled, unclassed = none, none
    if len(rows):
        unskilled = classification.why_no_skill(y, prior)
        unclassed = unskilled if classification.unforeseen(y, prior) else classification.why_no_auc(y)
    figures = Figures()
    figures.add("rows", len(rows))
    figures.add("log_loss", classification.log_loss(y, scores), none)
    skill = None if unskilled else classification.skill_vs_prior(y, scores, prior)
    figures.add("skill_vs_prior", skill, unskilled)
    parts = Figures()
    for part, value in skill_parts(y, scores, prior)._asdict().items():
        parts.add(part, None if unskilled else value, unskilled)
    figures.add("accuracy", classification.accuracy(y, scores), none)
    figures.add("auc", None if unclassed else classification.auc(y, scores), unclassed)
    return {
        "ok": fit.failure is None,
        "seconds": round(fit.seconds, 3),
        "failure": fit.failure,
        **figures.to_json(),
        "skill": parts.to_json(),
    }


def _warnings(
    columns: Sequence[ImplausibleColumn],
    models: Sequence[ImplausibleColumn],
    changed: Sequence[Change],
    *,
    synthetic: bool,
) -> list[str]:
    """One sentence for each changed column, and for each kind of implausible AUC."""
    cause = "a planted edge causes this, as does a leak" if synthetic else "assume a leak until it is ruled out"
    lines = [
        f"LOOK-AHEAD: the column {change.column} changes if later candles are removed "
        f"({change.symbol} at {iso_ms(change.time)}), so it uses the future."
        for change in changed
    ]
    lines += [
        f"IMPLAUSIBLE: {what} separate BUY from SELL with an AUC of {_aucs(found)}; {cause}."
        for what, found in (("single columns", columns), ("models", models))
        if found
    ]
    return lines


def _aucs(found: Sequence[ImplausibleColumn]) -> str:
    named = ", ".join(f"{column.name} {column.auc:.3f}" for column in found[:_NAMED])
    return named if len(found) <= _NAMED else f"{named} and {len(found) - _NAMED} more"
