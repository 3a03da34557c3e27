"""Folds of a walk-forward: training rows and test rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quorate.core.errors import EvaluationError
from quorate.core.types import IntArray
from quorate.evaluation.walk_forward.labelled_bars import LabelledBars
from quorate.targets import walk_forward


@dataclass(frozen=True, slots=True, eq=False)
class FoldRows:
    """Rows of one fold.

    Attributes:
        number: from 0.
        train: (m,) int64 training rows: every label ends before `start`, with the embargo in between.
        test: (k,) int64 test rows: every bar of every symbol in [start, end).
        start, end: of the test span, ms.
        purged: number of rows before `start` left out because their label reaches into the test span.
        embargoed: number of rows left out because their label ends within the embargo before the test span.
    """

    number: int
    train: IntArray
    test: IntArray
    start: int
    end: int
    purged: int
    embargoed: int


def split_folds(
    rows: LabelledBars, folds: int, *, embargo_bars: int, anchored: bool = True, first: int | None = None
) -> tuple[FoldRows, ...]:
    """Split the rows into a first training span and `folds` test spans of equal length.

    The span from the first to the last trainable row is cut into `folds` + 1 equal parts of whole bars (the first part
    takes the remainder). Bars after the last trainable row belong to the last test span. With `first`, the bars from
    there on are cut into `folds` parts, the last of which may be shorter.

    Args:
        rows: of all symbols.
        folds: number of test spans.
        embargo_bars: bars between the end of the last training label and the test span.
        anchored: train on all rows from the first on; else on a window as long as the first training span.
        first: start of the first test span, ms; None for the end of the first part.

    Raises:
        EvaluationError: too few bars, or a fold without a training row.
    """
    trainable = np.flatnonzero(rows.trainable)
    if not len(trainable):
        raise EvaluationError(
            "walk forward",
            found="no row with every feature and a label",
            expected="a longer history",
            remedy="Choose a longer span, or download more candles.",
        )
    time, span_end = rows.time[trainable], rows.span_end[trainable]
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
            found=f"{bars} labelled bars, {max(0, train_ms) // rows.bar_ms} of them before the first test span",
            expected=f"at least one before it and one for each of {folds} folds",
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
                train=trainable[fold.train[clear]],
                test=np.flatnonzero((rows.time >= start) & (rows.time < end)),
                start=start,
                end=end,
                purged=int(before.sum()) - len(fold.train),
                embargoed=int((~clear).sum()),
            )
        )
    return tuple(made)
