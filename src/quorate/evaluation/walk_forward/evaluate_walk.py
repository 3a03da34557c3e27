"""A whole walk judged: the ensemble and its rivals on the same bars, fold by fold, and what is too good to be true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from quorate.core.clock import iso_ms
from quorate.core.settings import Settings
from quorate.core.types import Candles, Float32Array, FloatArray
from quorate.evaluation.backtest_setup import BacktestSetup
from quorate.evaluation.evaluate_decisions import SingleModel, judge
from quorate.evaluation.json_values import Figures
from quorate.evaluation.labelled_predictions import LabelledPredictions
from quorate.evaluation.lookahead.implausible_auc import ImplausibleColumn, suspects
from quorate.evaluation.lookahead.truncation import Change, changes
from quorate.evaluation.metrics import classification
from quorate.evaluation.scorecard import Scorecard
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.evaluation.walk_forward.fold_rows import FoldRows
from quorate.evaluation.walk_forward.walk import Tell
from quorate.evaluation.walk_forward.walk_result import WalkResult
from quorate.features import build

_NAMED = 4  # columns in a warning; the JSON has them all


def verdict(walk: WalkResult, venue: BacktestSetup, settings: Settings, tell: Tell = lambda *_: None) -> Scorecard:
    """Trade the test spans of all folds as one continuous run of one account, and judge it beside its rivals.

    The card's figures hold, beside those of every scorecard: `folds`, `differences`, `lookahead` and `warnings`.

    Args:
        walk: the scores.
        venue: candles, funding and account; it must start where the walk's first test span does.
        settings: of the vote, the target and the evaluation.
        tell: progress.
    """
    frames = walk.frames(settings.vote)
    result = venue.trade(frames)
    tell("trading", 1, 1)
    tested = walk.tested
    best, chosen = walk.best_member()

    def alone(scores: FloatArray, about: str) -> SingleModel:
        return SingleModel({symbol: scores[rows] for symbol, rows in tested.items()}, about)

    beside = {
        name: alone(scores, f"{name} on the same training rows")
        for name, scores in walk.scores.items()
        if name not in walk.members
    }
    beside["best_member"] = alone(best, "in each fold the member with the least log-loss on the folds before")
    policies = [judged.calibration.policy for judged in walk.judgements]
    would = [at for judged in walk.judgements if (at := judged.report.get("would_act_at")) is not None]
    card = judge(
        frames,
        result,
        venue,
        partial(_prior, walk),
        settings,
        walk.members,
        beside,
        tell,
        calibrated=walk.frames(settings.vote, "calibrated") if any(policies) else None,
        would_act_at=max(would, default=None),
    )
    sample = card.sample
    together = sample.ensemble(settings.vote)
    blocks = TimeBlocks(sample.time, settings.evaluation)
    leans = {name: classification.lean(scores) for name, scores in {"ensemble": together, **sample.members}.items()}
    limit = settings.evaluation.plausible_auc
    models = suspects(leans, sample.y, blocks, limit)
    columns = _column_suspects(walk, settings)
    changed = changes(
        {symbol: candles.between(end=venue.end) for symbol, candles in venue.candles.items()},
        walk.rows.columns,
        lambda candles: _features(walk, candles),
        start=int(walk.rows.time.min()),
        seed=settings.evaluation.seed,
    )
    tell("looking for look-ahead", 1, 1)
    figures = card.figures
    figures["baselines"]["best_member"]["chosen"] = list(chosen)
    figures["folds"] = [
        _fold(walk, step, fits, name) | {"judgement": dict(judged.report)}
        for step, fits, name, judged in zip(walk.steps, walk.fits, chosen, walk.judgements, strict=True)
    ]
    figures["lookahead"] = {
        "limit": limit,
        "columns": [suspect.to_json() for suspect in columns],
        "models": [suspect.to_json() for suspect in models],
        "changed": [change.to_json() for change in changed],
    }
    figures["warnings"] = _warnings(columns, models, changed, synthetic=card.synthetic)
    return card


def _prior(walk: WalkResult, sample: LabelledPredictions) -> FloatArray:
    """(n, 3) the class shares that each labelled row's own fold was trained on."""
    starts = np.array([step.start for step in walk.steps])
    shares = np.array([walk.prior[step.test[0]] for step in walk.steps])
    return np.asarray(shares[np.searchsorted(starts, sample.time, side="right") - 1])


def _column_suspects(walk: WalkResult, settings: Settings) -> tuple[ImplausibleColumn, ...]:
    rows = walk.rows
    learned = np.flatnonzero(rows.trainable)
    blocks = TimeBlocks(rows.time[learned], settings.evaluation)
    columns = {name: rows.X[learned, place] for place, name in enumerate(rows.columns)}
    return suspects(columns, rows.y[learned], blocks, settings.evaluation.plausible_auc)


def _features(walk: WalkResult, candles: Candles) -> Float32Array:
    return build(candles, walk.rows.features, walk.rows.contexts.get(candles.symbol))


def _fold(walk: WalkResult, step: FoldRows, fits: Mapping[str, Any], best: str) -> dict[str, Any]:
    """One step as JSON: its spans, and every model on its labelled test rows."""
    rows = walk.rows
    models = {}
    for name, fit in fits.items():
        own = walk.judged(step, name)
        y, scores, prior = rows.y[own], walk.scores[name][own], walk.prior[own]
        figures = Figures()
        figures.add("rows", len(own))
        none = fit.failure or "no labelled row"
        figures.add("log_loss", classification.log_loss(y, scores), none)
        figures.add("skill_vs_prior", classification.skill_vs_prior(y, scores, prior) if len(own) else None, none)
        figures.add("accuracy", classification.accuracy(y, scores), none)
        figures.add(
            "auc", classification.auc(y, scores) if len(own) else None, none if not len(own) else "a class is missing"
        )
        models[name] = {
            "ok": fit.failure is None,
            "seconds": round(fit.seconds, 3),
            "failure": fit.failure,
            **figures.to_json(),
        }
    return {
        "fold": step.number + 1,
        "train": {
            "from": iso_ms(int(rows.time[step.train].min())),
            "to": iso_ms(int(rows.time[step.train].max()) + rows.bar_ms),
            "rows": len(step.train),
            "purged": step.purged,
            "embargoed": step.embargoed,
        },
        "test": {"from": iso_ms(step.start), "to": iso_ms(step.end), "rows": len(step.test)},
        "members": {name: models[name] for name in walk.members},
        "beside": {name: figures for name, figures in models.items() if name not in walk.members},
        "best_member": best,
    }


def _warnings(
    columns: Sequence[ImplausibleColumn],
    models: Sequence[ImplausibleColumn],
    changed: Sequence[Change],
    *,
    synthetic: bool,
) -> list[str]:
    """One sentence for each kind of thing that cannot be believed."""
    verdict = "a planted edge does this, and so does a leak" if synthetic else "this is a leak until proven otherwise"
    lines = [
        f"LOOK-AHEAD: the column {change.column} changes when later candles are taken away "
        f"({change.symbol} at {iso_ms(change.time)}): it reads the future."
        for change in changed
    ]
    lines += [
        f"TOO GOOD: {what} BUY from SELL with an area under the ROC curve of {_areas(found)}; {verdict}."
        for what, found in (("columns that alone tell", columns), ("models that tell", models))
        if found
    ]
    return lines


def _areas(found: Sequence[ImplausibleColumn]) -> str:
    named = ", ".join(f"{suspect.name} {suspect.auc:.3f}" for suspect in found[:_NAMED])
    return named if len(found) <= _NAMED else f"{named} and {len(found) - _NAMED} more"
