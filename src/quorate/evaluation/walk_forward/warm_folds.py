"""Earlier folds at whose weights the training of a later fold may begin.

Reference: López de Prado (2018), Advances in Financial Machine Learning, chapter 7: purge and embargo.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quorate.ensemble.stack.expanding_folds import embargo_ms
from quorate.evaluation.walk_forward.fold_fit import FitKey, FoldFits, FoldParts
from quorate.evaluation.walk_forward.labelled_bars import LabelledBars


def earlier_folds(parts: Sequence[FoldParts], rows: LabelledBars, embargo_ms: int) -> tuple[int | None, ...]:
    """For each fold the number of the newest earlier one that leaks nothing into it; None to begin anew.

    All labels that a model of the earlier fold was fitted on, those of its early stopping included, end an embargo
    before the first row that stops, calibrates, chooses or tests in the later fold. The model before it, at whose
    weights it began itself, is older still.

    Args:
        parts: of the folds, in order of time.
        rows: features and labels of every bar.
        embargo_ms: at least 0.
    """
    until = [int(rows.span_end[np.concatenate([each.train, each.slices.stop])].max()) + embargo_ms for each in parts]
    begins = [int(rows.time[np.concatenate([each.slices.stop, each.scored])].min()) for each in parts]
    found: list[int | None] = []
    for number, begin in enumerate(begins):
        found.append(max((earlier for earlier in range(number) if until[earlier] < begin), default=None))
    return tuple(found)


def earlier_fits(fits: FoldFits, warm: Sequence[str]) -> dict[FitKey, FitKey]:
    """Fit -> the fit of an earlier fold at whose weights it begins, on the same columns.

    Args:
        fits: of the walk-forward.
        warm: models that start warm.
    """
    split, horizon = fits.settings.split, fits.settings.target.horizon
    earlier = earlier_folds(fits.parts, fits.rows, embargo_ms(split.embargo_bars, horizon, fits.rows.bar_ms))
    return {
        FitKey(place, name): FitKey(before, name)
        for name in warm
        for place, before in enumerate(earlier)
        if before is not None and (not fits.columns or fits.columns[before] == fits.columns[place])
    }
