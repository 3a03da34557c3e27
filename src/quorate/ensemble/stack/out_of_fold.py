"""What members said of rows they had not learned from, side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from quorate.core.types import FloatArray, IntArray
from quorate.ensemble.stack.expanding_folds import StackFold
from quorate.models import Model, StoppingRows
from quorate.targets import Dataset


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Rows that every member has spoken of.

    Attributes:
        rows: (n,) int64 row numbers of the data set, by bar time.
        fold: (n,) int64, the fold that each was predicted in.
        predicted: (n, m) float64 fractions, a column for each member in order.
    """

    rows: IntArray
    fold: IntArray
    predicted: FloatArray

    def __len__(self) -> int:
        return len(self.rows)


def align(
    dataset: Dataset, members: Sequence[str], said: Mapping[str, Mapping[int, tuple[IntArray, FloatArray]]]
) -> Predictions:
    """Bring together what was said of the same bar of the same symbol; a row that a member lacks is left out.

    A member of windows has no prediction where a bar is missing: cut to equal lengths, the columns would speak of
    different bars.

    Args:
        dataset: whose rows they are.
        members: in the order of the columns.
        said: member -> fold -> (rows (a,), predictions (a,)).
    """
    table = np.full((len(dataset), len(members)), np.nan)
    fold_of = np.full(len(dataset), -1, np.int64)
    for place, member in enumerate(members):
        for number, (rows, predicted) in said[member].items():
            table[rows, place] = predicted
            fold_of[rows] = number
    rows = np.flatnonzero(np.isfinite(table).all(axis=1))
    rows = rows[np.argsort(dataset.time[rows], kind="stable")]
    return Predictions(rows, fold_of[rows], table[rows])


def predict_held(
    make: Callable[[], Model],
    dataset: Dataset,
    folds: Sequence[StackFold],
    progress: Callable[[int, int], None],
) -> dict[int, tuple[IntArray, FloatArray]]:
    """Fit one member anew for each fold, and let it predict the rows held back from it.

    Args:
        make: gives a new, unfitted member of the task "return".
        dataset: the rows.
        folds: see `stack_folds`.
        progress: called with folds done, and how many there are.

    Returns:
        Fold -> rows that it could read, and what it said of them.

    Raises:
        ModelError: the member cannot be fitted.
    """
    said = {}
    for number, fold in enumerate(folds):
        model = make()
        window = model.window
        if model.stops_early:
            X, rows = dataset.read(fold.fit, window)
            unseen, its_rows = dataset.read(fold.stop, window)
            later = StoppingRows(unseen, dataset.y[its_rows]) if len(its_rows) else None
            model.fit(X, dataset.y[rows], later=later)
        else:
            X, rows = dataset.read(np.concatenate([fold.fit, fold.stop]), window)
            model.fit(X, dataset.y[rows])
        X, rows = dataset.read(fold.held, window)
        said[number] = rows, model.predict(X) if len(rows) else np.empty(0)
        progress(number + 1, len(folds))
    return said
