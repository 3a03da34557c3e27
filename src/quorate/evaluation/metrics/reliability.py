"""Reliability of calibrated probabilities, compared with the raw scores on the same rows.

Members and ensemble are evaluated on the rows with both a score and a probability. The best member is the one whose
probabilities have the lowest log-loss on these rows. It is chosen with hindsight, so it is a strict baseline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from quorate.core.settings import Settings
from quorate.core.types import Candles, DecisionFrame, FloatArray, IntArray
from quorate.ensemble.calibration.conformal import prediction_set_mask
from quorate.evaluation.json_values import Figures
from quorate.evaluation.labelled_predictions import LabelledPredictions
from quorate.evaluation.metrics import classification
from quorate.evaluation.metrics.classification_report import ScoreFigures, reliability_json
from quorate.evaluation.metrics.paired_difference import log_loss_difference
from quorate.targets import Target

ENSEMBLE = "ensemble"


def probability_figures(
    frames: Mapping[str, DecisionFrame],
    candles: Mapping[str, Candles],
    target: Target,
    scored: ScoreFigures,
    settings: Settings,
) -> dict[str, Any] | None:
    """Log-loss, Brier score and calibration error before and after calibration, JSON-safe; None without probabilities.

    Args:
        frames: symbol -> decisions with scores and probabilities.
        candles: symbol -> candles of the frame's bars, and later ones for the labels.
        target: what was predicted.
        scored: measures scores on the labelled rows of the frames, which have the raw scores.
        settings: of the vote and the evaluation.
    """
    calibrated = {symbol: _as_scores(frame) for symbol, frame in frames.items()}
    if not any(frame.scores for frame in calibrated.values()):
        return None
    probable = LabelledPredictions.of(calibrated, candles, target)
    sample, prior, blocks, horizon = scored.sample, scored.prior, scored.blocks, scored.horizon
    raw = {**sample.members, ENSEMBLE: sample.ensemble(settings.vote)}
    found: dict[str, Any] = {}
    for name, probabilities in probable.members.items():
        both = classification.voted(raw[name]) & classification.voted(probabilities)
        found[name] = {
            "rows": int(both.sum()),
            **{
                kind: scored.of(np.where(both[:, None], table, np.nan))
                for kind, table in (("score", raw[name]), ("probability", probabilities))
            },
        }
    together = probable.members.get(ENSEMBLE)
    members = {name: figures for name, figures in found.items() if name != ENSEMBLE}
    document: dict[str, Any] = {"members": members, "ensemble": found.get(ENSEMBLE)}
    if together is not None:
        document["reliability"] = reliability_json(sample, together, settings.evaluation.bins)
        shares = classification.prior_scores(prior, len(sample))
        voted = classification.voted(together)
        why = classification.why_no_skill(sample.y[voted], shares[voted])
        known = why if classification.unforeseen(sample.y[voted], shares[voted]) else ""
        apart = {"prior": log_loss_difference(sample, together, np.array(shares), blocks, horizon, why_not=known)}
        losses = {name: figures["probability"]["log_loss"] for name, figures in members.items() if figures["rows"]}
        if losses:
            best = min(losses, key=lambda name: losses[name])
            against = log_loss_difference(sample, together, probable.members[best], blocks, horizon)
            apart["best_member"] = {"member": best, **against}
        document["differences"] = apart
    document["sets"] = _sets(frames, candles, target, settings)
    return document


def _as_scores(frame: DecisionFrame) -> DecisionFrame:
    """The frame with probabilities in place of scores, so that the same code evaluates both."""
    own = {} if frame.probabilities is None else {ENSEMBLE: frame.probabilities}
    return replace(frame, scores={**frame.calibrated, **own}, unselected={})


def _sets(
    frames: Mapping[str, DecisionFrame], candles: Mapping[str, Candles], target: Target, settings: Settings
) -> dict[str, Any] | None:
    """Coverage and size of the prediction sets, JSON-safe; None without sets."""
    covered: list[FloatArray] = []
    size: list[IntArray] = []
    lowest, highest = [], []
    window = settings.conformal.window
    for symbol, frame in frames.items():
        if frame.probabilities is None or frame.limit is None:
            continue
        labels = target.label(candles[symbol])
        at = np.searchsorted(candles[symbol].time, frame.time)
        rows = labels.known[at] & np.isfinite(frame.probabilities).all(axis=1) & ~np.isnan(frame.limit)
        sets = prediction_set_mask(frame.probabilities[rows], frame.limit[rows])
        y = labels.y[at][rows]
        right = sets[np.arange(len(y)), y].astype(np.float64)
        covered.append(right)
        size.append(sets.sum(axis=1))
        if len(right) >= window:
            total = np.concatenate([[0.0], np.cumsum(right)])
            rolling = (total[window:] - total[:-window]) / window
            lowest.append(float(rolling.min()))
            highest.append(float(rolling.max()))
    if not covered:
        return None
    all_covered, all_sizes = np.concatenate(covered), np.concatenate(size)
    n = len(all_covered)
    short = f"no market has {window} bars with a set and a label"
    figures = Figures()
    figures.add("n", n)
    figures.add("coverage", float(all_covered.mean()) if n else None, "no bar with a set and a label")
    figures.add("lowest_rolling", min(lowest, default=None), short)
    figures.add("highest_rolling", max(highest, default=None), short)
    for classes in range(4):
        share = float((all_sizes == classes).mean()) if n else None
        figures.add(f"of_{classes}", share, "no bar with a set and a label")
    return {"asked": 1 - settings.conformal.miss, "window_bars": window, **figures.to_json()}
