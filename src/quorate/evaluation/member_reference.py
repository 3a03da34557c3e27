"""Figures of single members over windows of days, and limits of them that a stationary year rarely crosses.

A member is watched by three figures: its skill over the prior, its calibration error, and how far it is behind the mean
of the others. The first two fall with the market, of all members together; the last is theirs alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from quorate.core.sections.drift import DriftSettings
from quorate.core.types import FloatArray, IntArray, finite_rows
from quorate.evaluation.daily_sums import daily_outcomes, error_of_sums, known_days, skill_of_sums
from quorate.evaluation.metrics.classification import ClassArray, prior_scores, row_log_loss, unforeseen, voted
from quorate.evaluation.statistics.stationary_streams import FEWEST_WINDOWS, plan_of, stationary_years, upper_limits

#: A member that is behind the others by less skill than this is not worth benching, however sure that is.
LEAST_BEHIND = 0.005


#: A window with fewer rows of a member than this share of its fullest one is not judged: candles or votes are missing.
LEAST_ROWS = 0.5


@dataclass(frozen=True, slots=True)
class WatchedMember:
    """A member's probabilities on held-out rows.

    Attributes:
        days: of the rows.
        skill: over the class prior of the training rows.
        skill_limit: a window's skill below it is beyond bounds.
        error: expected calibration error of the winning class.
        error_limit: a window's error above it is beyond bounds.
        behind: skill of the mean of the other members less its own, on the same rows.
        behind_limit: a window's figure above it is beyond bounds.
    """

    days: int
    skill: float
    skill_limit: float
    error: float
    error_limit: float
    behind: float
    behind_limit: float


def member_sums(
    y: ClassArray, members: Mapping[str, FloatArray], prior: FloatArray, day: IntArray, days: int
) -> FloatArray:
    """(days, m, 4 + bins) sums of each day: of `daily_outcomes`, and of the log-loss less that of the others' mean.

    Args:
        y: (n,) classes.
        members: model -> (n, 3) probabilities, raw scores where it has no map; NaN rows are left out.
        prior: (3,) class shares of the training rows.
        day: (n,) day of each row, from 0.
        days: number of days.
    """
    tables = np.stack([np.where(finite_rows(own)[:, None], own, 0.0) for own in members.values()])
    counts = np.stack([finite_rows(own) for own in members.values()]).astype(np.float64)
    total, voters = tables.sum(axis=0), counts.sum(axis=0)
    found = []
    for place, own in enumerate(members.values()):
        others = voters - counts[place]
        with_others = np.where(others > 0, others, np.nan)[:, None]
        beyond = row_log_loss(y, own) - row_log_loss(y, (total - tables[place]) / with_others)
        last = np.bincount(day, np.nan_to_num(beyond), days)
        found.append(np.column_stack([daily_outcomes(y, own, prior, day, days), last]))
    return np.stack(found, axis=1)


def member_figures(sums: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Skill, calibration error and skill behind the others, each (...,), of (..., 4 + bins) sums; NaN without rows."""
    outcomes, prior_loss = sums[..., :-1], sums[..., 2]
    behind = np.divide(sums[..., -1], prior_loss, out=np.full(prior_loss.shape, np.nan), where=prior_loss > 0)
    return skill_of_sums(outcomes), error_of_sums(outcomes), behind


def fit_members(
    y: ClassArray,
    probabilities: Mapping[str, FloatArray],
    prior: FloatArray,
    time: IntArray,
    settings: DriftSettings,
) -> dict[str, WatchedMember]:
    """Figures of each member, with limits that a stationary year crosses with one chance for all of them together.

    Members with rows of fewer days than two windows are left out, and those with a class that the prior lacks.

    Args:
        y: (n,) classes.
        probabilities: model -> (n, 3); NaN rows are left out.
        prior: (3,) class shares of the training rows.
        time: (n,) open times in ms.
        settings: window, blocks and chance.
    """
    if not probabilities:
        return {}
    # Days on which nobody voted, such as those before the first fold, are no known days.
    scored = np.any([voted(own) for own in probabilities.values()], axis=0)
    y, probabilities = y[scored], {model: own[scored] for model, own in probabilities.items()}
    day, days = known_days(time[scored])
    shares = prior_scores(prior, len(y))
    known = {}
    for model, own in probabilities.items():
        rows = voted(own)
        enough = len(np.unique(day[rows])) >= FEWEST_WINDOWS * settings.window_days
        if enough and not unforeseen(y[rows], shares[rows]):
            known[model] = own
    return limits_of(list(known), member_sums(y, known, prior, day, days), settings) if known else {}


def limits_of(models: Sequence[str], sums: FloatArray, settings: DriftSettings) -> dict[str, WatchedMember]:
    """The same from (days, m, 4 + bins) `member_sums` of the known days; members in the order of `models`."""
    days = len(sums)
    plan = plan_of(settings, days)
    years = list(stationary_years(sums, _changes, plan))
    # Each figure has a third of the chance: the heavy tail of one must not push out the limits of the others.
    lost, error, behind = (
        upper_limits([year[:, figure] for year in years], settings.chance / 3, days, plan) for figure in range(3)
    )
    skills, errors, behinds = member_figures(sums.sum(axis=0))
    return {
        model: WatchedMember(
            int(np.count_nonzero(sums[:, place, 0])),
            float(skills[place]),
            float(skills[place] - lost[place]),
            float(errors[place]),
            float(error[place]),
            float(behinds[place]),
            float(behinds[place] + max(behind[place], LEAST_BEHIND)),
        )
        for place, model in enumerate(models)
    }


def _changes(known: FloatArray, windows: FloatArray) -> FloatArray:
    """(looks, 3, m): of each member the skill lost since the known days, the error, and how much further it is behind.

    A window with too few rows of a member, which a watcher would not judge, has 0.
    """
    skill, _, behind = member_figures(known.sum(axis=0))
    skills, errors, behinds = member_figures(windows)
    rows = windows[..., 0]
    judged = (rows >= np.maximum(1.0, LEAST_ROWS * rows.max(axis=0)))[:, None]
    return np.where(judged, np.stack([skill - skills, errors, behinds - behind], axis=1), 0.0)
