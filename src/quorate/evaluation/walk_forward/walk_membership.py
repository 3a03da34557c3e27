"""Who votes on each day of a walk-forward, by the labels of earlier days."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from quorate.core.settings import Settings
from quorate.core.types import FloatArray, IntArray
from quorate.ensemble.selection import EVERYBODY, Membership, SetLosses, choose_members
from quorate.evaluation.walk_forward.fold_rows import FoldRows
from quorate.evaluation.walk_forward.labelled_bars import LabelledBars
from quorate.targets.matured_days import MaturedDays


def walk_membership(
    rows: LabelledBars,
    folds: tuple[FoldRows, ...],
    scores: Mapping[str, FloatArray],
    prior: FloatArray,
    held_out: tuple[IntArray, Mapping[str, FloatArray]],
    settings: Settings,
) -> Membership:
    """The members that vote on the tested bars, chosen as on live bars.

    A day is decided by the labels of tested bars of earlier days, of whatever fold. The first members are those of the
    first fold's rows that its members were not fitted on.

    Args:
        rows: features and labels of every bar.
        folds: in order of time.
        scores: member -> (n, 3) for every row; NaN before the first test span.
        prior: (n, 3) class shares of the training rows of the fold that tests the row.
        held_out: numbers of the first fold's rows between its training rows and its test span, and the members'
            scores of them.
        settings: of the selection and the vote.
    """
    if not 0 < settings.select.size < len(scores):
        return EVERYBODY
    before, earlier = held_out
    tested = np.concatenate([fold.test for fold in folds])
    tested = tested[rows.known[tested]]
    part = np.concatenate([before, tested])
    absent = np.full((len(before), 3), np.nan)
    tables = {name: np.concatenate([earlier.get(name, absent), table[tested]]) for name, table in scores.items()}
    shares = np.concatenate([np.broadcast_to(prior[folds[0].test[0]], (len(before), 3)), prior[tested]])
    known_at = rows.span_end[part] + rows.bar_ms
    days = MaturedDays.between(int(rows.time[part].min()), int(rows.time.max()) + rows.bar_ms)
    losses = SetLosses(tables, rows.y[part], shares, known_at, days, settings.vote)
    return choose_members(losses, folds[0].start + rows.bar_ms, settings.select)
