"""Which members would have voted on holdout rows, by the rule that chooses them on live bars."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from quorate.core.clock import DAY_MS
from quorate.core.settings import Settings
from quorate.ensemble.selection import EVERYBODY, Membership, SetLosses, choose_members
from quorate.ensemble.training.holdout import HoldoutScores
from quorate.targets.matured_days import MaturedDays

# The prior that nobody has to know: it only scales the margin, and scores rows on which all of a set abstained.
_EVEN = np.full(3, 1 / 3)


def choose_on_holdout(
    calibrate: HoldoutScores, choose: HoldoutScores, out_of_fold: HoldoutScores, settings: Settings
) -> tuple[HoldoutScores, HoldoutScores, HoldoutScores]:
    """The same rows with the members that would have voted on each, so that calibration and policy are those of the
    sets that vote.

    On the choosing slice they are first chosen by the labels of the calibration slice that were known when it began.
    Out of fold they are chosen day by day, from the first whole window on. Rows before that, and the calibration slice,
    have the first members in order.

    Args:
        calibrate: the calibration slice.
        choose: the choosing slice, after it.
        out_of_fold: rows out of fold.
        settings: of the selection and the vote.
    """
    if not settings.select.size:
        return calibrate, choose, out_of_fold
    both = _joined(calibrate, choose)
    begin = int(choose.time.min()) if len(choose) else None
    slices = _membership(both, begin, settings)
    window = settings.select.days * DAY_MS
    earliest = int(out_of_fold.time.min()) + window if len(out_of_fold) else None
    folds = _membership(out_of_fold, earliest, settings)
    return _with(calibrate, slices), _with(choose, slices), _with(out_of_fold, folds)


def _membership(rows: HoldoutScores, begin: int | None, settings: Settings) -> Membership:
    if begin is None or not 0 < settings.select.size < len(rows.scores):
        return replace(EVERYBODY, size=settings.select.size)
    known_at = rows.span_end + _bar_ms(rows)
    days = MaturedDays.between(int(rows.time.min()) // DAY_MS * DAY_MS, int(known_at.max()) + DAY_MS)
    losses = SetLosses(rows.scores, rows.y, _EVEN, known_at, days, settings.vote)
    return choose_members(losses, begin + _bar_ms(rows), settings.select)


def _with(rows: HoldoutScores, membership: Membership) -> HoldoutScores:
    order = tuple(rows.scores)
    if not membership.applies(order):
        return rows
    return replace(rows, chosen=membership.rows(rows.time + _bar_ms(rows), order))


def _bar_ms(rows: HoldoutScores) -> int:
    """Length of a bar: the shortest time between two bars."""
    times = np.unique(rows.time)
    return int(np.diff(times).min()) if len(times) > 1 else 0


def _joined(first: HoldoutScores, second: HoldoutScores) -> HoldoutScores:
    """The rows of both, in the order of time in which they come."""
    columns = ("y", "time", "span_end", "forward_return", "volatility")
    return HoldoutScores(
        {model: np.concatenate([table, second.scores[model]]) for model, table in first.scores.items()},
        *(np.concatenate([getattr(first, name), getattr(second, name)]) for name in columns),
    )
