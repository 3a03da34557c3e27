"""Loss of a model on held-out rows, when it is fitted on some of the columns, and when some are shuffled.

The rows are cut into equal stretches of time; a model is fitted on the stretches before each, and scores it. Labels end
an embargo before the held-out rows begin.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

from quorate.core.errors import EvaluationError
from quorate.core.settings import SplitSettings
from quorate.core.types import Float32Array, FloatArray, IntArray
from quorate.ensemble.column_choice import CandidateRows
from quorate.ensemble.training.out_of_fold import RefitFold, refit_folds, stretch_numbers
from quorate.evaluation.baselines.naive import class_prior
from quorate.evaluation.feature_selection.shuffled_spans import shuffled_spans
from quorate.evaluation.metrics.classification import prior_scores, row_log_loss
from quorate.models import Model, StoppingRows

# Names of the columns it is fitted on -> a new, unfitted model of single rows.
Maker = Callable[[tuple[str, ...]], Model]

Columns = tuple[int, ...]


class HeldOutLoss:
    """Losses of the held-out rows of all folds, in order of time.

    Args:
        rows: to fit on and to score.
        make: makes the model; it is fitted once a fold on each choice of columns.
        folds: held-out stretches.
        split: share of the rows for early stopping.

    Attributes:
        folds: those that have rows to fit on and to score.
        held_out: (m,) int64 row numbers.
        fold: (m,) int64 number of each row's fold.

    Raises:
        EvaluationError: no fold has rows to fit on and to score.
    """

    def __init__(self, rows: CandidateRows, make: Maker, folds: int, split: SplitSettings) -> None:
        self._rows, self._make = rows, make
        order = np.argsort(rows.time, kind="stable")
        stretch = stretch_numbers(rows.time[order], folds + 1)
        self.folds = refit_folds(rows.time, rows.span_end, order, stretch, split, rows.embargo_ms)
        if not self.folds:
            raise EvaluationError(
                "choose the columns",
                found=f"{len(rows)} training rows, of which none is an embargo before one of {folds} held-out spans",
                expected="a training span of several times the label's horizon",
                remedy="Choose a longer span, or fewer auto_features.folds.",
            )
        self.held_out: IntArray = np.concatenate([fold.held_out for fold in self.folds])
        counts = [len(fold.held_out) for fold in self.folds]
        self.fold: IntArray = np.repeat(np.arange(len(self.folds)), counts)
        self._fitted: dict[Columns, FloatArray] = {}

    def of(self, columns: Columns) -> FloatArray:
        """(m,) loss of each held-out row by models of these columns alone."""
        if columns not in self._fitted:
            fitted = (self._loss(self._fit(fold, columns), fold, self._inputs(fold, columns)) for fold in self.folds)
            self._fitted[columns] = np.concatenate(list(fitted))
        return self._fitted[columns]

    def shuffled(
        self, columns: Columns, groups: Sequence[Columns], span_ms: int, repeats: int, seed: int
    ) -> list[FloatArray]:
        """(m,) rise of each held-out row's loss for each group by shuffling its columns, the mean over all orders.

        Args:
            columns: that the models are fitted on.
            groups: places among all columns, each of them in `columns`.
            span_ms: mean length of the spans of time that are shuffled.
            repeats: number of orders.
            seed: of the orders.
        """
        rise = [np.zeros(len(self.held_out)) for _ in groups]
        plain = []
        for number, fold in enumerate(self.folds):
            own = self.fold == number
            model, X = self._fit(fold, columns), self._inputs(fold, columns)
            plain.append(self._loss(model, fold, X))
            generator = np.random.default_rng([seed, number])
            time, symbol = self._rows.time[fold.held_out], self._rows.symbol[fold.held_out]
            for _ in range(repeats):
                source = shuffled_spans(time, symbol, span_ms, generator)
                for each, group in zip(rise, groups, strict=True):
                    places = [columns.index(column) for column in group]
                    changed = X.copy()
                    changed[:, places] = X[source][:, places]
                    each[own] += (self._loss(model, fold, changed) - plain[-1]) / repeats
        self._fitted[columns] = np.concatenate(plain)
        return rise

    @cached_property
    def prior(self) -> FloatArray:
        """(m,) loss of the class shares of the rows that each fold is fitted on."""
        y, found = self._rows.y, []
        for fold in self.folds:
            shares = prior_scores(class_prior(y[fold.before]), len(fold.held_out))
            found.append(row_log_loss(y[fold.held_out], shares))
        return np.concatenate(found)

    def _inputs(self, fold: RefitFold, columns: Columns) -> Float32Array:
        return self._rows.X[fold.held_out][:, columns]

    def _fit(self, fold: RefitFold, columns: Columns) -> Model:
        rows = self._rows
        model = self._make(tuple(rows.columns[column] for column in columns))
        fit, later = fold.before, None
        if model.stops_early and len(fold.fit) and len(fold.stop):
            fit, later = fold.fit, StoppingRows(rows.X[fold.stop][:, columns], rows.y[fold.stop])
        return model.fit(rows.X[fit][:, columns], rows.y[fit], stopping=later)

    def _loss(self, model: Model, fold: RefitFold, X: Float32Array) -> FloatArray:
        return row_log_loss(self._rows.y[fold.held_out], model.predict_proba(X))
