"""Expanding folds of the training part, for predictions of the members out of fold.

The test span of a fold begins with rows for early stopping and continues with held-out rows, which are predicted:

    |  fit ....................  | stop | held out |
    |  fit ...................................... | stop | held out |

No row is used for early stopping in one fold and held out in another; held-out rows are later than all rows that their
model was fitted on.

Reference: López de Prado (2018), Advances in Financial Machine Learning, chapter 7: purge and embargo.
"""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.errors import TargetError
from quorate.core.settings import StackSettings
from quorate.core.types import IntArray
from quorate.targets import walk_forward


@dataclass(frozen=True, slots=True, eq=False)
class StackFold:
    """Rows of one fold, in order of time.

    Attributes:
        fit: (a,) int64 row numbers that members are fitted on.
        stop: (b,) row numbers for early stopping; members without it are fitted on these rows as well.
        held_out: (c,) row numbers that are predicted.
    """

    fit: IntArray
    stop: IntArray
    held_out: IntArray


def stack_folds(
    time: IntArray, span_end: IntArray, rows: IntArray, settings: StackSettings, embargo_ms: int
) -> tuple[StackFold, ...]:
    """Split the training part into expanding folds.

    Every label of an earlier part ends more than the embargo before the first bar of a later part.

    Args:
        time: (n,) int64 bar times in ms, of all rows.
        span_end: (n,) int64 open time of the bar whose close each label reads last.
        rows: (k,) row numbers of the training part.
        settings: number of folds, and shares of their parts.
        embargo_ms: embargo after a label's end, at least 0.

    Raises:
        TargetError: a part of a fold has no rows.
    """
    own, ends = time[rows], span_end[rows]
    begin, after = int(own.min()), int(own.max()) + 1
    first_ms = int((after - begin) * settings.first)
    test_ms = -(-(after - begin - first_ms) // settings.folds)
    folds = []
    for fold in walk_forward(own, ends, train_ms=first_ms, test_ms=test_ms, anchored=True):
        start = begin + first_ms + fold.groups[0] * test_ms
        stop_end = start + int(test_ms * settings.stop)
        stop = fold.test[(own[fold.test] < stop_end) & (ends[fold.test] + embargo_ms < stop_end)]
        parts = StackFold(
            rows[fold.train[ends[fold.train] + embargo_ms < start]],
            rows[stop],
            rows[fold.test[own[fold.test] >= stop_end]],
        )
        if not (len(parts.fit) and len(parts.stop) and len(parts.held_out)):
            raise TargetError(
                "split the training part of a stack",
                found=f"a fold of {len(parts.fit)} rows to fit on, {len(parts.stop)} for early stopping and "
                f"{len(parts.held_out)} held out, of {len(rows)} rows in {settings.folds} folds",
                expected="rows in each part",
                remedy="Choose a longer span or fewer folds (stack.folds).",
            )
        folds.append(parts)
    return tuple(folds)


def embargo_ms(bars: int, horizon: int, bar_ms: int) -> int:
    """The embargo in ms: `bars` bars, or the label's horizon if `bars` is -1.

    >>> embargo_ms(-1, 4, 1_000), embargo_ms(2, 4, 1_000)
    (4000, 2000)
    """
    return (horizon if bars < 0 else bars) * bar_ms
