"""Columns of the members in each fold, chosen on its training rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quorate.core.progress import Progress
from quorate.core.settings import Settings
from quorate.ensemble.column_choice import CandidateRows, ChooseColumns, ColumnChoice
from quorate.ensemble.stack.expanding_folds import embargo_ms
from quorate.ensemble.training.training_data import required_columns
from quorate.evaluation.walk_forward.fold_fit import FoldParts
from quorate.evaluation.walk_forward.labelled_bars import LabelledBars


def choose_in_folds(
    rows: LabelledBars,
    parts: Sequence[FoldParts],
    members: Sequence[str],
    settings: Settings,
    choose: ChooseColumns | None,
    progress: Progress,
) -> tuple[ColumnChoice, ...]:
    """The columns of each fold; none without a function that chooses.

    Args:
        rows: features and labels of every bar.
        parts: of the folds. Columns are chosen on the rows that members are fitted on: none of those that stop,
            calibrate, choose a policy or test.
        members: whose columns are chosen; columns that they look up by name are kept.
        settings: of the split and of the models.
        choose: chooses columns; None for the whole feature set.
        progress: callback.
    """
    if choose is None:
        return ()
    symbol = np.repeat(np.arange(len(rows.spans)), [span.stop - span.start for span in rows.spans.values()])
    embargo = embargo_ms(settings.split.embargo_bars, settings.target.horizon, rows.bar_ms)
    required = required_columns(members, settings.models)
    found = []
    for number, part in enumerate(parts, 1):
        place = f"fold {number}/{len(parts)}"

        def report(stage: str, done: int, total: int, place: str = place) -> None:
            progress(f"{place}, {stage}", done, total)

        own = CandidateRows(
            columns=rows.columns,
            X=rows.X[part.train],
            y=rows.y[part.train],
            time=rows.time[part.train],
            span_end=rows.span_end[part.train],
            symbol=symbol[part.train],
            embargo_ms=embargo,
            required=required,
        )
        found.append(choose(own, report))
    return tuple(found)
