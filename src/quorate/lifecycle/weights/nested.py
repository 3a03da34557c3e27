"""Nested walk-forward of weights: what is fitted for a fold has read nothing of it, and no label that was still open.

For each fold but the first, a strength of shrinkage is chosen on the rows of earlier folds alone, weights are fitted
on these rows with it, and the fold is scored once. Inside, the earlier rows are cut into stretches of equal length:
weights of the stretches before one are scored on it.

Reference: López de Prado (2018), Advances in Financial Machine Learning, chapter 7: purge and embargo.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from quorate.core.errors import EvaluationError
from quorate.core.progress import Progress, silent
from quorate.core.settings import Settings
from quorate.core.types import CLASS_NAMES, BoolArray, FloatArray, IntArray
from quorate.ensemble.training.out_of_fold import stretch_numbers
from quorate.evaluation.out_of_fold import MemberPredictions
from quorate.lifecycle.weights.schemes import Scheme, class_shares, row_losses
from quorate.lifecycle.weights.weighting import Weighting


@dataclass(frozen=True, slots=True)
class Tried:
    """One strength that was tried inside the rows that a fit may read.

    Attributes:
        scheme, strength: what was tried.
        fold: number of the fold it was tried for; None for the weights of all rows.
        loss: mean log-loss on the later stretches, in nats; NaN without a row to score.
        rows: scored rows.
    """

    scheme: str
    strength: float
    fold: int | None
    loss: float
    rows: int


@dataclass(frozen=True, slots=True)
class Fitted:
    """Weights fitted with the strength chosen for them."""

    strength: float
    weighting: Weighting


@dataclass(frozen=True, slots=True, eq=False)
class NestedFold:
    """One scored fold.

    Attributes:
        number: from 1, as the first fold of the predictions has none before it.
        start: of its first bar, ms.
        read: number of earlier rows whose labels ended before it.
        rows: (k,) its rows among the tested ones.
        fitted: scheme -> weights.
    """

    number: int
    start: int
    read: int
    rows: IntArray
    fitted: Mapping[str, Fitted]


@dataclass(frozen=True, slots=True, eq=False)
class Nested:
    """A nested walk-forward.

    Attributes:
        tested: rows of all scored folds.
        prior: (n, 3) class shares of the rows that each tested row's weights were fitted on.
        folds: in order of time.
        tried: every strength of every scheme in every fold, and for the weights of all rows.
        final: scheme -> weights fitted on all rows, the ones to use from now on.
    """

    tested: MemberPredictions
    prior: FloatArray
    folds: tuple[NestedFold, ...]
    tried: tuple[Tried, ...]
    final: Mapping[str, Fitted]


def nested(
    rows: MemberPredictions, schemes: Sequence[Scheme], settings: Settings, embargo_ms: int, progress: Progress = silent
) -> Nested:
    """Fit and score every scheme.

    Args:
        rows: out of fold, with at least two folds.
        schemes: ways to weigh the members.
        settings: of the search and the vote.
        embargo_ms: between the last label that is read and the first bar that is scored.
        progress: callback.

    Raises:
        EvaluationError: fewer than two folds.
    """
    numbers = np.unique(rows.fold)
    if len(numbers) < 2:
        raise EvaluationError(
            "fit member weights",
            found=f"{len(numbers)} fold with labelled rows",
            expected="at least two: weights for one are fitted on those before it",
            remedy="Evaluate over more folds or a longer span; let a live account run longer.",
        )
    tested = np.flatnonzero(rows.fold > numbers[0])
    prior = np.empty((len(tested), len(CLASS_NAMES)))
    folds, tried = [], []
    for done, number in enumerate(numbers[1:].tolist(), 1):
        own = rows.fold == number
        start = int(rows.time[own].min())
        before = closed_before(rows, start, embargo_ms) & (rows.fold < number)
        earlier = rows.select(before) if before.any() else None
        fitted = {}
        for scheme in schemes:
            fitted[scheme.name], found = _choose(scheme, earlier, rows, settings, embargo_ms, number)
            tried += found
        place = np.searchsorted(tested, np.flatnonzero(own))
        prior[place] = class_shares(rows.y[before])
        folds.append(NestedFold(number, start, int(before.sum()), place, fitted))
        progress("fitting weights", done, len(numbers))
    final = {}
    for scheme in schemes:
        final[scheme.name], found = _choose(scheme, rows, rows, settings, embargo_ms, None)
        tried += found
    progress("fitting weights", len(numbers), len(numbers))
    return Nested(rows.select(tested), prior, tuple(folds), tuple(tried), final)


def closed_before(rows: MemberPredictions, start: int, embargo_ms: int) -> BoolArray:
    """(n,) bool, rows whose label ended at least an embargo before a bar that opens at `start`, ms."""
    return np.asarray(rows.span_end + embargo_ms < start)


def _choose(
    scheme: Scheme,
    earlier: MemberPredictions | None,
    rows: MemberPredictions,
    settings: Settings,
    embargo_ms: int,
    fold: int | None,
) -> tuple[Fitted, list[Tried]]:
    """Weights on earlier rows, with the strength that was best on their later stretches; of equal ones the largest."""
    if earlier is None or len(earlier) < settings.weights.fewest:
        return Fitted(math.inf, scheme.fit(rows.select(np.arange(1)), math.inf)), []
    if len(scheme.strengths) == 1:
        strength = scheme.strengths[0]
        return Fitted(strength, scheme.fit(earlier, strength)), []
    stretch = stretch_numbers(earlier.time, settings.weights.stretches)
    sums, scored = dict.fromkeys(scheme.strengths, 0.0), 0
    for number in range(1, settings.weights.stretches):
        own = stretch == number
        if not own.any():
            continue
        read = closed_before(earlier, int(earlier.time[own].min()), embargo_ms) & (stretch < number)
        if int(read.sum()) < settings.weights.fewest:
            continue
        fit_on, score_on = earlier.select(read), earlier.select(own)
        prior = class_shares(fit_on.y)
        scored += len(score_on)
        for strength in scheme.strengths:
            weighting = scheme.fit(fit_on, strength)
            sums[strength] += float(row_losses(score_on, weighting, scheme.loss, settings.vote, prior).sum())
    if not scored:
        return Fitted(math.inf, scheme.fit(earlier, math.inf)), []
    best = min(sorted(scheme.strengths, reverse=True), key=lambda strength: sums[strength])
    tried = [Tried(scheme.name, strength, fold, sums[strength] / scored, scored) for strength in scheme.strengths]
    return Fitted(best, scheme.fit(earlier, best)), tried
