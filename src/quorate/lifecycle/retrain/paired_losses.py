"""Losses of two bundles on the bars that neither has used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from quorate.core.clock import timeframe_ms
from quorate.core.progress import Progress, silent
from quorate.core.settings import Settings
from quorate.core.types import ActionArray, Candles, DecisionFrame, FloatArray, IntArray
from quorate.ensemble.bundle.manifest import Manifest
from quorate.ensemble.inference import Bundle
from quorate.ensemble.recipes import RECIPES
from quorate.ensemble.stack.expanding_folds import embargo_ms
from quorate.ensemble.voting.mean_scores import mean_scores
from quorate.evaluation.metrics.classification import row_log_loss
from quorate.workflows.inputs.market_data import predict_panel

PERCENT = 100


def unseen_from(manifests: tuple[Manifest, ...], settings: Settings) -> int:
    """Open time in ms of the first bar after an embargo behind every row that one of the bundles has used."""
    bar_ms = timeframe_ms(manifests[0].timeframe)
    horizon = max(manifest.horizon for manifest in manifests)
    embargo = embargo_ms(settings.split.embargo_bars, horizon, bar_ms)
    return max(manifest.used_until for manifest in manifests) + embargo + bar_ms


@dataclass(frozen=True, slots=True, eq=False)
class PairedLosses:
    """Losses of two bundles on the same n rows: log-loss in nats of a vote, squared error in percent^2 of a stack.

    Attributes:
        time: (n,) int64 open times in ms, rows of all symbols.
        new, old: (n,) float64 losses of the challenger and of the champion; all finite.
        y: (n,) int8 classes; None for a stack.
        new_scores, old_scores: (n, 3) probabilities; None for a stack.
        calibrated: whether the scores are calibrated probabilities; else they are the members' mean scores.
    """

    time: IntArray
    new: FloatArray
    old: FloatArray
    y: ActionArray | None = None
    new_scores: FloatArray | None = None
    old_scores: FloatArray | None = None
    calibrated: bool = False

    def __len__(self) -> int:
        return len(self.time)


def paired_losses(
    new: Bundle,
    old: Bundle,
    panel: Mapping[str, Candles],
    first: int,
    progress: Progress = silent,
) -> PairedLosses:
    """Predict the bars from `first` on by two bundles, and measure both on the rows with a label and two predictions.

    A vote is measured by its calibrated probabilities where both bundles have them, else by the members' mean scores.

    Args:
        new: the challenger.
        old: the champion, of the same recipe, timeframe and target.
        panel: symbol -> candles, with those that warm features up; none after the end of the judged span.
        first: open time in ms.
        progress: of predicting.
    """
    # Both training spans reach over these bars, whose labels have fitted and chosen nothing: see `unseen_from`.
    news = predict_panel(new, panel, first, _titled(progress, "challenger"), allow=True)
    olds = predict_panel(old, panel, first, _titled(progress, "champion"), allow=True)
    target = RECIPES[new.manifest.recipe].make_target(new.manifest.target)
    columns: list[tuple[Any, ...]] = []
    calibrated = all(frame.probabilities is not None for frame in (*news.values(), *olds.values()))
    for symbol, candles in panel.items():
        frame, other = news[symbol], olds[symbol]
        labels = target.label(candles)
        at = np.searchsorted(candles.time, frame.time)
        if new.stack is not None:
            made, before = _returns(frame), _returns(other)
        else:
            made, before = _scores(frame, new.manifest, calibrated), _scores(other, old.manifest, calibrated)
        columns.append((frame.time, labels.y[at], labels.known[at], made, before))
    time, y, known, made, before = (np.concatenate(column) for column in zip(*columns, strict=True))
    rows = known & np.isfinite(made).reshape(len(made), -1).all(axis=1)
    rows &= np.isfinite(before).reshape(len(before), -1).all(axis=1)
    time, y, made, before = time[rows], y[rows], made[rows], before[rows]
    if new.stack is not None:
        return PairedLosses(time, (PERCENT * (made - y)) ** 2, (PERCENT * (before - y)) ** 2)
    return PairedLosses(time, row_log_loss(y, made), row_log_loss(y, before), y, made, before, calibrated)


def _scores(frame: DecisionFrame, manifest: Manifest, calibrated: bool) -> FloatArray:
    """(n, 3) probabilities of the ensemble, NaN where no member voted."""
    if calibrated and frame.probabilities is not None:
        return frame.probabilities
    if not frame.scores:
        return np.full((len(frame), 3), np.nan)
    return mean_scores(frame.scores, manifest.policy)


def _returns(frame: DecisionFrame) -> FloatArray:
    """(n,) predicted returns of the stack, fractions; NaN where a member abstained."""
    return np.full(len(frame), np.nan) if frame.predicted is None else frame.predicted


def _titled(progress: Progress, who: str) -> Progress:
    def report(stage: str, done: int, total: int) -> None:
        progress(f"{stage}, {who}", done, total)

    return report
