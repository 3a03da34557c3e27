"""Features, decisions and outcomes on the bars that a bundle was not fitted on."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from quorate.core.clock import timeframe_ms
from quorate.core.machine import whole_cores
from quorate.core.progress import Progress
from quorate.core.types import Float32Array, FloatArray, IntArray
from quorate.ensemble.recipes import RECIPES
from quorate.ensemble.voting.mean_scores import mean_scores
from quorate.evaluation.metrics.classification import ClassArray, row_log_loss, voted
from quorate.features import Bars, build, volatility_20
from quorate.features.rescaled import hide_rescaled

if TYPE_CHECKING:
    from quorate.core.types import Candles
    from quorate.ensemble.inference import Bundle


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """Rows with a label: the ensemble's probabilities, its mean raw scores where it has no map.

    Attributes:
        y: (n,) classes.
        probabilities: (n, 3); NaN where no member voted.
        members: model -> (n, 3) raw scores, or its probabilities where it has a map.
        scores: model -> (n, 3) raw scores of all members.
        time: (n,) int64 open times in ms, not in order.
        known_at: (n,) int64 ms, when the bar whose close the label reads last has closed.
    """

    y: ClassArray
    probabilities: FloatArray
    members: Mapping[str, FloatArray]
    time: IntArray
    known_at: IntArray
    scores: Mapping[str, FloatArray] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class UnseenRows:
    """Rows of all markets from a bar on.

    Attributes:
        X: (n, F) float32, finite.
        time: (n,) int64 open times in ms of its rows, not in order.
        outcomes: None where nothing is predicted.
    """

    X: Float32Array
    time: IntArray
    outcomes: Outcomes | None


def read_unseen(
    bundle: Bundle, panel: Mapping[str, Candles], first_bar: int, progress: Progress, *, scored: bool
) -> UnseenRows:
    """Compute the rows of all markets.

    Args:
        bundle: that decides.
        panel: symbol -> closed candles, with those that warm the features up; labels use no others.
        first_bar: open time in ms of the first row.
        progress: of the markets.
        scored: predict and label the rows.
    """

    def rows(candles: Candles) -> tuple[Float32Array, IntArray, Outcomes | None]:
        return _rows(bundle, candles, first_bar, scored=scored)

    parts = []
    with ThreadPoolExecutor(whole_cores()) as threads:
        for number, part in enumerate(threads.map(rows, panel.values()), 1):
            parts.append(part)
            progress("watching", number, len(panel))
    outcomes = [part[2] for part in parts if part[2] is not None]
    return UnseenRows(
        np.concatenate([part[0] for part in parts]),
        np.concatenate([part[1] for part in parts]),
        _joined(outcomes) if outcomes else None,
    )


def horizon_losses(outcomes: Outcomes, horizon: int) -> tuple[IntArray, FloatArray]:
    """(k,) mean log-loss of every `horizon` bars with a vote, in order, and (k,) the open time of the last of them.

    Labels of neighbouring bars overlap; ADWIN is for independent values. A last part of fewer bars is left out.
    """
    rows = voted(outcomes.probabilities)
    time, place = np.unique(outcomes.time[rows], return_inverse=True)
    losses = row_log_loss(outcomes.y[rows], outcomes.probabilities[rows])
    of_bar = np.bincount(place, losses) / np.maximum(np.bincount(place), 1)
    whole = len(time) // horizon * horizon
    return time[horizon - 1 : whole : horizon], of_bar[:whole].reshape(-1, horizon).mean(axis=1)


def _rows(
    bundle: Bundle, candles: Candles, first_bar: int, *, scored: bool
) -> tuple[Float32Array, IntArray, Outcomes | None]:
    bars = Bars(candles)
    X = build(bars, bundle.features)
    hide_rescaled(X, bars, bars.timeframe, bundle.features.warmup)
    later = candles.time >= first_bar
    whole = later & np.isfinite(X).all(axis=1)
    outcomes = None
    if scored:
        frame = bundle.decide_bars(candles, X, volatility_20(bars), np.asarray(~later))
        labels = RECIPES[bundle.manifest.recipe].make_target(bundle.manifest.target).label(candles)
        known = later & labels.known
        together = frame.probabilities
        if together is None:
            together = mean_scores(frame.scores, bundle.manifest.policy)
        members = {name: frame.calibrated.get(name, scores)[known] for name, scores in frame.scores.items()}
        known_at = labels.span_end[known] + timeframe_ms(candles.timeframe)
        raw = {name: scores[known] for name, scores in frame.scores.items()}
        outcomes = Outcomes(labels.y[known], together[known], members, candles.time[known], known_at, raw)
    return X[whole], candles.time[whole], outcomes


def _joined(parts: list[Outcomes]) -> Outcomes:
    return Outcomes(
        np.concatenate([part.y for part in parts]),
        np.concatenate([part.probabilities for part in parts]),
        {name: np.concatenate([part.members[name] for part in parts]) for name in parts[0].members},
        np.concatenate([part.time for part in parts]),
        np.concatenate([part.known_at for part in parts]),
        {name: np.concatenate([part.scores[name] for part in parts]) for name in parts[0].scores},
    )
