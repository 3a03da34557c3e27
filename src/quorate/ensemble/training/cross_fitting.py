"""The calibrated policy over the rows out of fold, in each stretch with what the stretches before it support.

Nothing that decides on a row is fitted on that row or on later ones: the map, the classes' mean returns and the
prediction sets of a stretch come from rows whose labels end before it begins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from quorate.core.settings import Settings
from quorate.core.types import BoolArray, FloatArray, IntArray
from quorate.ensemble.calibration.conformal import fit_conformal
from quorate.ensemble.calibration.map_selection import ProbabilityMap, choose_map
from quorate.ensemble.calibration.temperature import UNCHANGED
from quorate.ensemble.evidence.class_returns import class_returns
from quorate.ensemble.training.candidates import Considered
from quorate.ensemble.training.holdout import HoldoutScores
from quorate.ensemble.voting.calibrated_policy import CalibratedPolicy
from quorate.ensemble.voting.mean_scores import mean_scores


@dataclass(frozen=True, slots=True, eq=False)
class CrossFitted:
    """Rows of all stretches that have earlier rows, in order of time.

    Attributes:
        rows: with the members' scores.
        considered: by the calibrated policy.
        calibrated: member -> (n, 3) probabilities by a map of earlier stretches; NaN in stretches without one, and
            members without any are left out.
        parts: rows of each stretch, and the correlations of errors on the rows before it.
    """

    rows: HoldoutScores
    considered: Considered
    calibrated: Mapping[str, FloatArray]
    parts: Sequence[tuple[slice, Mapping[str, float]]]


def cross_fit(rows: HoldoutScores, stretch: IntArray, settings: Settings, cost: float) -> CrossFitted | None:
    """Decide on each stretch by what earlier stretches support.

    Args:
        rows: in order of time, with the scores of members that were fitted on earlier rows only.
        stretch: (n,) int64 number of each row's stretch.
        settings: of the vote, the calibration and the prediction sets.
        cost: of a round trip, a fraction.

    Returns:
        None without a stretch that has earlier rows.
    """
    mean, voters = mean_scores(rows.voting, settings.vote), rows.voters
    probabilities = np.full(mean.shape, np.nan)
    calibrated = {name: np.full(mean.shape, np.nan) for name in rows.scores}
    kept, parts = np.zeros(len(rows), np.bool_), []
    judged: list[tuple[slice, Mapping[str, float]]] = []
    for number in range(1, int(stretch.max(initial=0)) + 1):
        own = stretch == number
        if not own.any():
            continue
        earlier = (stretch < number) & (rows.span_end < rows.time[own].min())
        if not earlier.any():
            continue
        found = _map(mean, rows, earlier, settings)
        probabilities[own] = (UNCHANGED if found is None else found)(mean[own])
        for name, table in rows.scores.items():
            member = _map(table, rows, earlier, settings)
            if member is not None:
                calibrated[name][own] = member(table[own])
        policy = CalibratedPolicy(
            settings.vote,
            UNCHANGED,
            class_returns(rows.forward_return[earlier], rows.y[earlier], rows.time[earlier]),
            cost,
        )
        limit = _limits(probabilities, rows, earlier, own, settings)
        parts.append(Considered.of(policy, probabilities[own], voters[own], rows.members, limit))
        begin = int(kept.sum())
        judged.append((slice(begin, begin + int(own.sum())), rows.rows(earlier).error_correlations()))
        kept |= own
    if not parts:
        return None
    tables = {name: table[kept] for name, table in calibrated.items() if np.isfinite(table).any()}
    return CrossFitted(rows.rows(kept), Considered.concat(parts), tables, judged)


def _map(scores: FloatArray, rows: HoldoutScores, earlier: BoolArray, settings: Settings) -> ProbabilityMap | None:
    """The map that the earlier rows support; None if there are too few."""
    found = choose_map(
        scores[earlier], rows.y[earlier], rows.time[earlier], rows.span_end[earlier], settings.calibration
    )
    return None if isinstance(found, str) else found.map


def _limits(
    probabilities: FloatArray, rows: HoldoutScores, earlier: BoolArray, own: BoolArray, settings: Settings
) -> FloatArray | None:
    """(n,) limits of a stretch's prediction sets; None where no earlier row has probabilities."""
    known = earlier & np.isfinite(probabilities).all(axis=1)
    if not known.any():
        return None
    sets = fit_conformal(probabilities[known], rows.y[known], settings.conformal.miss, settings.conformal.rate)
    return sets.track(probabilities[own], rows.y[own], rows.time[own], rows.span_end[own]).limit
