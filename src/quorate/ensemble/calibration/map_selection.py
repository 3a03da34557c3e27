"""Which map makes probabilities of a model's scores: the one that did best on later rows than it was fitted on."""

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

# In this order where two do equally well: the plainer comes first.
CANDIDATES: Mapping[str, Callable[[FloatArray, ActionArray], ProbabilityMap]] = {
    "unchanged": lambda scores, y: UNCHANGED,  # noqa: ARG005 - fitted to nothing
    "temperature": fit_temperature,
    "shifted temperature": lambda scores, y: fit_temperature(scores, y, shifted=True),
    "isotonic": fit_isotonic,
}


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A map, and how it was chosen.

    Attributes:
        map: fitted on all rows.
        kind: its name among the candidates.
        losses: candidate -> mean log-loss on the later rows, in nats.
        rows: that it was fitted on.
        judged: that the candidates were compared on.
        unseen: (n, 3) each row's probabilities by a map of that kind that was fitted on earlier rows only; NaN in the
            first stretch, and where there are no scores.
    """

    map: ProbabilityMap
    kind: str
    losses: Mapping[str, float]
    rows: int
    judged: int
    unseen: FloatArray


def choose_map(
    scores: FloatArray, y: ActionArray, time: IntArray, span_end: IntArray, settings: CalibrationSettings
) -> Fitted | str:
    """Fit every kind of map on growing stretches of the rows, judge it on the stretch after, and keep the best kind.

    A row is fitted on only if its label ends before the stretch that is judged begins.

    Args:
        scores: (n, 3) of rows that the model was not fitted on; NaN rows are left out.
        y: (n,) what happened.
        time: (n,) int64 open times in ms, in any order.
        span_end: (n,) int64 open time in ms of the bar whose close each label reads last.
        settings: stretches, and the least rows.

    Returns:
        The map fitted on all rows, or in words why there is none.
    """
    voted = np.isfinite(scores).all(axis=1)
    short = lack(y[voted], settings)
    if short:
        return short
    times = np.unique(time[voted])
    firsts = times[[len(times) * fold // settings.folds for fold in range(settings.folds)]]
    stretch = np.searchsorted(firsts, time, side="right") - 1
    unseen = {kind: np.full(scores.shape, np.nan) for kind in CANDIDATES}
    for fold in range(1, settings.folds):
        fitted_on = voted & (stretch < fold) & (span_end < firsts[fold])
        judged = voted & (stretch == fold)
        if judged.any() and not lack(y[fitted_on], settings):
            for kind, fit in CANDIDATES.items():
                unseen[kind][judged] = fit(scores[fitted_on], y[fitted_on])(scores[judged])
    rows = np.flatnonzero(np.isfinite(unseen["unchanged"]).all(axis=1))
    if not len(rows):
        return f"{int(voted.sum())} rows are too few to choose a map by"
    losses = {kind: float(-np.log(table[rows, y[rows]]).mean()) for kind, table in unseen.items()}
    best = min(CANDIDATES, key=lambda kind: losses[kind])
    return Fitted(CANDIDATES[best](scores[voted], y[voted]), best, losses, int(voted.sum()), len(rows), unseen[best])


def lack(y: ActionArray, settings: CalibrationSettings) -> str:
    """Why no map can be fitted on rows of these classes; "" where one can."""
    if len(y) < settings.rows:
        return f"{len(y)} rows with scores, of at least {settings.rows}"
    counts = np.bincount(y, minlength=len(CLASS_NAMES))
    rarest = int(counts.argmin())
    if counts[rarest] < settings.class_rows:
        return f"{counts[rarest]} rows of {CLASS_NAMES[rarest]}, of at least {settings.class_rows}"
    return ""
