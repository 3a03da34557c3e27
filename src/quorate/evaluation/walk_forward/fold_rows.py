"""The steps of a walk-forward: which rows are learned from, and which are then scored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quorate.core.errors import EvaluationError
from quorate.core.types import IntArray
from quorate.evaluation.walk_forward.labelled_bars import LabelledBars
from quorate.targets import walk_forward


@dataclass(frozen=True, slots=True, eq=False)
class FoldRows:
    """One step of the walk.

    Attributes:
        number: from 0.
        train: (m,) int64 rows to learn from: every label ends, and the embargo passes, before `start`.
        test: (k,) int64 rows to score: every bar of every symbol in [start, end).
        start, end: of the test span, ms.
        purged: rows before `start` that are left out because their label reaches into the test span.
        embargoed: and because it ends within the embargo before it.
    """

    number: int
    train: IntArray
    test: IntArray
    start: int
    end: int
    purged: int
    embargoed: int


def steps(
    rows: LabelledBars, folds: int, *, embargo_bars: int, anchored: bool = True, first: int | None = None
) -> tuple[FoldRows, ...]:
    """Cut the rows into a first training span and as many test spans of the same length as there are folds.

    The span from the first to the last row that can be learned from is cut into `folds` + 1 equal parts, whole bars
    each (the first takes what is left over). Bars after the last such row belong to the last test span.
    Where the first test span has a set beginning, what follows is cut into `folds` parts, the last of them shorter.

    Args:
        rows: of all symbols.
        folds: test spans.
        embargo_bars: bars kept free between the end of the last training label and the test span.
        anchored: training begins with the first row and grows; else it is always as long as the first.
        first: where the first test span begins, ms; None for the end of the first part.

    Raises:
        EvaluationError: too few bars, or a step without a row to train on.
    """
    learned = np.flatnonzero(rows.trainable)
    if not len(learned):
        raise EvaluationError(
            "walk forward",
            found="no row with every feature and a label",
            expected="a longer history",
            remedy="Choose a longer span, or download one.",
        )
    time, span_end = rows.time[learned], rows.span_end[learned]
    begin = int(time.min())
    bars = (int(time.max()) - begin) // rows.bar_ms + 1
    if first is None:
        test_ms = bars // (folds + 1) * rows.bar_ms
        train_ms = bars * rows.bar_ms - folds * test_ms
    else:
        train_ms = first - begin
        test_ms = -((train_ms - bars * rows.bar_ms) // (folds * rows.bar_ms)) * rows.bar_ms
    if min(test_ms, train_ms) <= 0:
        raise EvaluationError(
            "walk forward",
            found=f"{bars} bars that can be learned from, {max(0, train_ms) // rows.bar_ms} of them before the test",
            expected=f"at least one to train on and one for each of {folds} folds",
            remedy="Choose a longer span or fewer folds.",
        )
    made = []
    for fold in walk_forward(time, span_end, train_ms=train_ms, test_ms=test_ms, anchored=anchored):
        (number,) = fold.groups
        start = begin + train_ms + number * test_ms
        last = start + test_ms > int(time.max())
        end = int(rows.time.max()) + rows.bar_ms if last else start + test_ms
        clear = span_end[fold.train] < start - embargo_bars * rows.bar_ms
        before = (time < start) & (anchored | (time >= start - train_ms))
        if not clear.any():
            raise EvaluationError(
                "walk forward",
                found=f"no label that ends {embargo_bars} bars before the test span of fold {number + 1}",
                expected="rows to train on",
                remedy="Choose a longer span or fewer folds.",
            )
        made.append(
            FoldRows(
                number=number,
                train=learned[fold.train[clear]],
                test=np.flatnonzero((rows.time >= start) & (rows.time < end)),
                start=start,
                end=end,
                purged=int(before.sum()) - len(fold.train),
                embargoed=int((~clear).sum()),
            )
        )
    return tuple(made)
