"""Predictions of the members out of fold, aligned by row."""

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
    """Predictions of the rows that every member could predict.

    Attributes:
        rows: (n,) int64 row numbers of the data set, in order of bar time.
        fold: (n,) int64, number of the fold that each was predicted in.
        predicted: (n, m) float64 fractions, one column for each member in order.
    """

    rows: IntArray
    fold: IntArray
    predicted: FloatArray

    def __len__(self) -> int:
        return len(self.rows)


def align(
    dataset: Dataset, members: Sequence[str], predictions: Mapping[str, Mapping[int, tuple[IntArray, FloatArray]]]
) -> Predictions:
    """Align the members' predictions by row; rows that a member lacks are left out.

    Alignment by row number is needed because members that read windows have no prediction where a bar is missing.

    Args:
        dataset: that the rows belong to.
        members: in the order of the columns.
        predictions: member -> fold -> (rows (a,), predictions (a,)).
    """
    table = np.full((len(dataset), len(members)), np.nan)
    fold_of = np.full(len(dataset), -1, np.int64)
    for place, member in enumerate(members):
        for number, (rows, predicted) in predictions[member].items():
            table[rows, place] = predicted
            fold_of[rows] = number
    rows = np.flatnonzero(np.isfinite(table).all(axis=1))
    rows = rows[np.argsort(dataset.time[rows], kind="stable")]
    return Predictions(rows, fold_of[rows], table[rows])


def predict_held_out(
    make: Callable[[], Model],
    dataset: Dataset,
    folds: Sequence[StackFold],
    progress: Callable[[int, int], None],
) -> dict[int, tuple[IntArray, FloatArray]]:
    """Fit one member once for each fold and predict the held-out rows.

    Args:
        make: factory of unfitted models of the task "return".
        dataset: the rows.
        folds: see `stack_folds`.
        progress: called with folds done and folds in all.

    Returns:
        Fold -> held-out rows that the member could read, and its predictions.

    Raises:
        ModelError: the member cannot be fitted.
    """
    predictions = {}
    for number, fold in enumerate(folds):
        model = make()
        window = model.window
        if model.stops_early:
            X, rows = dataset.read(fold.fit, window)
            stop_X, stop_rows = dataset.read(fold.stop, window)
            later = StoppingRows(stop_X, dataset.y[stop_rows]) if len(stop_rows) else None
            model.fit(X, dataset.y[rows], stopping=later)
        else:
            X, rows = dataset.read(np.concatenate([fold.fit, fold.stop]), window)
            model.fit(X, dataset.y[rows])
        X, rows = dataset.read(fold.held_out, window)
        predictions[number] = rows, model.predict(X) if len(rows) else np.empty(0)
        progress(number + 1, len(folds))
    return predictions
