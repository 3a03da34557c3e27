"""The stretches of the training part that members predict without having learned from them.

A stretch begins with rows that members stop early by and goes on with rows that are predicted, to be combined:

    |  learned from ...........  | stop by | predicted |
    |  learned from ...................................  | stop by | predicted |

No row is both stopped by and combined, in any fold; what is predicted lies later than all that its model has seen.

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
    """One stretch.

    Attributes:
        fit: (a,) int64 row numbers that members learn from.
        stop: (b,) rows, later ones, that members stop early by; one that does not learns from them as well.
        held: (c,) rows, later still, that are predicted.
    """

    fit: IntArray
    stop: IntArray
    held: IntArray


def stack_folds(
    time: IntArray, span_end: IntArray, rows: IntArray, settings: StackSettings, embargo_ms: int
) -> tuple[StackFold, ...]:
    """Cut the training part into expanding folds.

    Every label of an earlier stretch ends more than the embargo before a later stretch's first bar.

    Args:
        time: (n,) int64 bar times in ms, of all rows there are.
        span_end: (n,) int64 open time of the bar whose close each label reads last.
        rows: (k,) row numbers of the training part.
        settings: how many folds, and their shares.
        embargo_ms: time kept free after a label's end, at least 0.

    Raises:
        TargetError: a stretch without a row.
    """
    own, ends = time[rows], span_end[rows]
    begin, after = int(own.min()), int(own.max()) + 1
    first_ms = int((after - begin) * settings.first)
    test_ms = -(-(after - begin - first_ms) // settings.folds)
    made = []
    for fold in walk_forward(own, ends, train_ms=first_ms, test_ms=test_ms, anchored=True):
        start = begin + first_ms + fold.groups[0] * test_ms
        turn = start + int(test_ms * settings.stop)
        early = fold.test[(own[fold.test] < turn) & (ends[fold.test] + embargo_ms < turn)]
        cut = StackFold(
            rows[fold.train[ends[fold.train] + embargo_ms < start]],
            rows[early],
            rows[fold.test[own[fold.test] >= turn]],
        )
        if not (len(cut.fit) and len(cut.stop) and len(cut.held)):
            raise TargetError(
                "cut the training part of a stack",
                found=f"a stretch of {len(cut.fit)} rows to learn from, {len(cut.stop)} to stop by and "
                f"{len(cut.held)} to predict, of {len(rows)} in {settings.folds} folds",
                expected="rows in each",
                remedy="Choose a longer span or fewer folds (stack.folds).",
            )
        made.append(cut)
    return tuple(made)


def embargo_ms(bars: int, horizon: int, bar_ms: int) -> int:
    """The embargo in ms: so many bars, or the label's horizon where that is -1.

    >>> embargo_ms(-1, 4, 1_000), embargo_ms(2, 4, 1_000)
    (4000, 2000)
    """
    return (horizon if bars < 0 else bars) * bar_ms
