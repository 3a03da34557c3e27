"""The move heads of a vote's members: how far the direction of each is believed, and scores with the head.

The factor of a member that was fitted again out of fold is fitted on those scores, over the whole training span; that
of another, on the calibration slice. Scores out of fold that choose a policy have, in each stretch, the head of the
stretches before it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from quorate.core.types import FloatArray, IntArray
from quorate.ensemble.calibration.direction import DirectionFit, fit_direction
from quorate.ensemble.training.out_of_fold import LabelledRows, RefittedScores
from quorate.models.move_head import shrink_direction


def fit_heads(refitted: RefittedScores, data: LabelledRows) -> dict[str, DirectionFit]:
    """Member -> factor, for those with scores out of fold.

    Args:
        refitted: their scores, without heads.
        data: all rows.
    """
    y, time = data.y[refitted.rows], data.time[refitted.rows]
    return {name: fit_direction(table, y, time) for name, table in refitted.scores.items()}


def with_earlier_heads(refitted: RefittedScores, data: LabelledRows) -> RefittedScores:
    """Scores out of fold with the heads that each stretch would have had: fitted on labels that ended before it.

    A stretch without any before it has the least factor.

    Args:
        refitted: scores without heads.
        data: all rows.
    """
    rows, stretch = refitted.rows, refitted.stretch
    y, time, ends = data.y[rows], data.time[rows], data.span_end[rows]
    headed = {name: table.copy() for name, table in refitted.scores.items()}
    for number in np.unique(stretch):
        own = stretch == number
        before = ends < time[own].min()
        for name, table in refitted.scores.items():
            fitted = fit_direction(table[before], y[before], time[before])
            headed[name][own] = shrink_direction(table[own], fitted.factor)
    return replace(refitted, scores=headed)


@dataclass(frozen=True, slots=True, eq=False)
class MemberHead:
    """How the head of one member is fitted.

    Attributes:
        fitted: its factor out of fold; None where it was not fitted again.
        part: (k,) int64 row numbers of the calibration slice, for a member without one.
    """

    fitted: DirectionFit | None
    part: IntArray

    def fit(self, output: tuple[IntArray, FloatArray] | None, data: LabelledRows) -> DirectionFit:
        """The factor.

        Args:
            output: (n,) row numbers that the member was not fitted on, and its (n, 3) scores there; None without any.
            data: all rows.
        """
        if self.fitted is not None:
            return self.fitted
        rows, scores = (self.part[:0], np.empty((0, 3))) if output is None else output
        own = np.isin(rows, self.part)
        return fit_direction(scores[own], data.y[rows[own]], data.time[rows[own]])
