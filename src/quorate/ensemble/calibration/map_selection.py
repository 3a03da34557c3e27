"""Selection of the map from scores to probabilities, as far as later rows support it.

A kind of map is used only if, on rows later than its fit, it is better than the unchanged scores beyond chance, with
days as observations and the best of several kinds judged as such, and is not worse in any of the later stretches. It is
then shrunk towards the unchanged scores by its evidence. Otherwise the scores stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from quorate.core.types import CLASS_NAMES, ActionArray, FloatArray, IntArray
from quorate.ensemble.calibration.isotonic import Isotonic, fit_isotonic
from quorate.ensemble.calibration.temperature import UNCHANGED, Temperature, fit_temperature
from quorate.ensemble.evidence.best_of_many import best_of_many
from quorate.ensemble.evidence.days import day_means, day_numbers, shrinkage

if TYPE_CHECKING:
    from quorate.core.settings import CalibrationSettings

ProbabilityMap = Temperature | Isotonic

# The simplest first: of kinds that are about equal the first is chosen.
CANDIDATES: Mapping[str, Callable[[FloatArray, ActionArray], ProbabilityMap]] = {
    "temperature": fit_temperature,
    "shifted temperature": lambda scores, y: fit_temperature(scores, y, shifted=True),
    "isotonic": fit_isotonic,
}

#: The kind where no map is better than the scores themselves.
NO_MAP = "unchanged"


@dataclass(frozen=True, slots=True, eq=False)
class FittedMap:
    """A fitted map and the comparison that chose its kind.

    Attributes:
        map: fitted on all rows and shrunk by `weight`.
        kind: name of the candidate, or "unchanged".
        losses: candidate, and "unchanged" -> mean log-loss out of fold, in nats, before shrinking.
        weight: of the map against the unchanged scores, 0 to 1.
        rows: number of rows that the map was fitted on.
        compared: number of rows that the candidates were compared on.
        days: number of days of these.
        out_of_fold: (n, 3) probabilities of each row by a map of that kind and weight fitted on earlier rows only; NaN
            in the first fold, and where there are no scores.
    """

    map: ProbabilityMap
    kind: str
    losses: Mapping[str, float]
    weight: float
    rows: int
    compared: int
    days: int
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
        settings: number of folds, and the least number of rows and days.

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
    maps: dict[int, dict[str, ProbabilityMap]] = {}
    for fold in range(1, settings.folds):
        fit_rows = scored & (fold_of < fold) & (span_end < firsts[fold])
        if (scored & (fold_of == fold)).any() and not why_too_few(y[fit_rows], settings):
            maps[fold] = {kind: fit(scores[fit_rows], y[fit_rows]) for kind, fit in CANDIDATES.items()}
    rows = np.flatnonzero(scored & np.isin(fold_of, list(maps)))
    if not len(rows):
        return f"{int(scored.sum())} rows are too few to choose a map by"
    own = fold_of[rows]
    tables = {kind: np.empty((len(rows), len(CLASS_NAMES))) for kind in CANDIDATES}
    for fold, fitted in maps.items():
        for kind, found in fitted.items():
            tables[kind][own == fold] = found(scores[rows[own == fold]])
    unchanged = _losses(UNCHANGED(scores[rows]), y[rows])
    losses = {kind: _losses(table, y[rows]) for kind, table in tables.items()}
    day, days = day_numbers(time[rows])
    # Folds begin at any hour; a day belongs to the fold of its first row.
    fold_of_day = np.full(days, settings.folds)
    np.minimum.at(fold_of_day, day, own)
    gains = np.stack([day_means(unchanged - loss, day, days) for loss in losses.values()], axis=1)
    kind, weight = _supported(gains, fold_of_day, settings.days)
    out_of_fold = np.full(scores.shape, np.nan)
    chosen: ProbabilityMap = UNCHANGED
    if kind == NO_MAP:
        out_of_fold[rows] = UNCHANGED(scores[rows])
    else:
        for fold, fitted in maps.items():
            held_out = rows[own == fold]
            out_of_fold[held_out] = fitted[kind].shrunk(weight)(scores[held_out])
        chosen = CANDIDATES[kind](scores[scored], y[scored]).shrunk(weight)
    return FittedMap(
        map=chosen,
        kind=kind,
        losses={NO_MAP: float(unchanged.mean()), **{name: float(loss.mean()) for name, loss in losses.items()}},
        weight=weight,
        rows=int(scored.sum()),
        compared=len(rows),
        days=days,
        out_of_fold=out_of_fold,
    )


def _supported(gains: FloatArray, fold: IntArray, fewest_days: int) -> tuple[str, float]:
    """The kind of map that its gains over the unchanged scores support, and its weight; "unchanged" and 0 for none.

    Args:
        gains: (days, kinds) mean decrease of the log-loss on each day.
        fold: (days,) the stretch of each day.
        fewest_days: with fewer days no kind is supported.
    """
    if len(gains) < fewest_days:
        return NO_MAP, 0.0
    found = best_of_many(gains, np.ones(gains.shape[1], np.bool_))
    never_worse = np.all([gains[fold == each].mean(axis=0) >= 0 for each in np.unique(fold)], axis=0)
    supported = np.flatnonzero(never_worse & (found.lower > 0))
    if not len(supported):
        return NO_MAP, 0.0
    best = supported[np.argmax(found.lower[supported])]
    # The simplest kind that is not worse than the best by more than a standard error of their difference.
    lead = gains[:, [best]] - gains[:, supported]
    close = lead.mean(axis=0) <= lead.std(axis=0, ddof=1) / np.sqrt(len(gains))
    kind = int(supported[np.argmax(close)])
    return tuple(CANDIDATES)[kind], shrinkage(gains[:, kind])


def _losses(probabilities: FloatArray, y: ActionArray) -> FloatArray:
    return np.asarray(-np.log(probabilities[np.arange(len(y)), y]))


def why_too_few(y: ActionArray, settings: CalibrationSettings) -> str:
    """Why no map can be fitted on rows of these classes; "" if one can."""
    if len(y) < settings.rows:
        return f"{len(y)} rows with scores, of at least {settings.rows}"
    counts = np.bincount(y, minlength=len(CLASS_NAMES))
    rarest = int(counts.argmin())
    if counts[rarest] < settings.class_rows:
        return f"{counts[rarest]} rows of {CLASS_NAMES[rarest]}, of at least {settings.class_rows}"
    return ""
