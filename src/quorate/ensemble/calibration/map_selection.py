"""Selection of the map from scores to probabilities: the kind with the least log-loss on rows later than its fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from quorate.core.types import CLASS_NAMES, ActionArray, FloatArray, IntArray
from quorate.ensemble.calibration.isotonic import Isotonic, fit_isotonic
from quorate.ensemble.calibration.temperature import UNCHANGED, Temperature, fit_temperature

if TYPE_CHECKING:
    from quorate.core.settings import CalibrationSettings

ProbabilityMap = Temperature | Isotonic

# The simplest first: of equal losses the first is chosen.
CANDIDATES: Mapping[str, Callable[[FloatArray, ActionArray], ProbabilityMap]] = {
    "unchanged": lambda scores, y: UNCHANGED,  # noqa: ARG005 - nothing to fit
    "temperature": fit_temperature,
    "shifted temperature": lambda scores, y: fit_temperature(scores, y, shifted=True),
    "isotonic": fit_isotonic,
}


@dataclass(frozen=True, slots=True, eq=False)
class FittedMap:
    """A fitted map and the comparison that chose its kind.

    Attributes:
        map: fitted on all rows.
        kind: name of the candidate.
        losses: candidate -> mean log-loss out of fold, in nats.
        rows: number of rows that the map was fitted on.
        compared: number of rows that the candidates were compared on.
        out_of_fold: (n, 3) probabilities of each row by a map of that kind fitted on earlier rows only; NaN in the
            first fold, and where there are no scores.
    """

    map: ProbabilityMap
    kind: str
    losses: Mapping[str, float]
    rows: int
    compared: int
    out_of_fold: FloatArray


def choose_map(
    scores: FloatArray, y: ActionArray, time: IntArray, span_end: IntArray, settings: CalibrationSettings
) -> FittedMap | str:
    """Choose a kind of map by time-ordered cross-validation on expanding folds, and fit it on all rows.

    A map is fitted only on rows whose label ends before the fold that it is compared on.

    Args:
        scores: (n, 3) of rows that the model was not fitted on; NaN rows are left out.
        y: (n,) true classes.
        time: (n,) int64 open times in ms, in any order.
        span_end: (n,) int64 open time in ms of the bar whose close each label reads last.
        settings: number of folds, and the least number of rows.

    Returns:
        The map fitted on all rows, or the reason why none could be fitted.
    """
    scored = np.isfinite(scores).all(axis=1)
    reason = why_too_few(y[scored], settings)
    if reason:
        return reason
    times = np.unique(time[scored])
    firsts = times[[len(times) * fold // settings.folds for fold in range(settings.folds)]]
    fold_of = np.searchsorted(firsts, time, side="right") - 1
    out_of_fold = {kind: np.full(scores.shape, np.nan) for kind in CANDIDATES}
    for fold in range(1, settings.folds):
        fit_rows = scored & (fold_of < fold) & (span_end < firsts[fold])
        held_out = scored & (fold_of == fold)
        if held_out.any() and not why_too_few(y[fit_rows], settings):
            for kind, fit in CANDIDATES.items():
                out_of_fold[kind][held_out] = fit(scores[fit_rows], y[fit_rows])(scores[held_out])
    rows = np.flatnonzero(np.isfinite(out_of_fold["unchanged"]).all(axis=1))
    if not len(rows):
        return f"{int(scored.sum())} rows are too few to choose a map by"
    losses = {kind: float(-np.log(table[rows, y[rows]]).mean()) for kind, table in out_of_fold.items()}
    best = min(CANDIDATES, key=lambda kind: losses[kind])
    return FittedMap(
        CANDIDATES[best](scores[scored], y[scored]), best, losses, int(scored.sum()), len(rows), out_of_fold[best]
    )


def why_too_few(y: ActionArray, settings: CalibrationSettings) -> str:
    """Why no map can be fitted on rows of these classes; "" if one can."""
    if len(y) < settings.rows:
        return f"{len(y)} rows with scores, of at least {settings.rows}"
    counts = np.bincount(y, minlength=len(CLASS_NAMES))
    rarest = int(counts.argmin())
    if counts[rarest] < settings.class_rows:
        return f"{counts[rarest]} rows of {CLASS_NAMES[rarest]}, of at least {settings.class_rows}"
    return ""
