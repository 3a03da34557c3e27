"""Permutation importance: increase in log-loss when one column is shuffled among test rows.

It is measured on bars the model was not trained on, so it shows what a column contributes there, unlike the number of
splits of a tree. Correlated columns share their importance: shuffling one costs little while the other is unchanged.

Source: Breiman (2001); Fisher, Rudin and Dominici (2019).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from quorate.core.settings import EvaluationSettings
from quorate.core.types import ActionArray, Float32Array, FloatArray, IntArray
from quorate.evaluation.json_values import Figures
from quorate.evaluation.metrics import classification
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.evaluation.walk_forward.fold_rows import FoldRows
from quorate.evaluation.walk_forward.labelled_bars import LabelledBars
from quorate.models import Model

# (B, F) or (B, L, F) float32 inputs -> (B, 3) scores
Predict = Callable[[Float32Array], FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class ShuffledLoss:
    """Increase in log-loss of one model by shuffling each column, on some test rows.

    Attributes:
        loss: (rows, F) log-loss with the column shuffled minus log-loss without, nats.
        time: (rows,) int64 open times in ms.
    """

    loss: FloatArray
    time: IntArray


def shuffle_columns(
    predict: Predict,
    X: Float32Array,
    y: ActionArray,
    at: IntArray,
    generator: np.random.Generator,
    places: Sequence[int] | None = None,
    columns: int | None = None,
) -> ShuffledLoss:
    """Shuffle one column after the other among the rows; of windows, a column is moved as a whole.

    Args:
        predict: of a fitted model.
        X: (rows, F), or (rows, L, F) for a model of windows.
        y: (rows,) classes.
        at: (rows,) open times in ms.
        generator: draws one permutation of the rows, the same for every column.
        places: (F,) of the columns of X among all `columns`; None where X has all of them.
        columns: number of columns in the result; those that X lacks change nothing.
    """
    plain = classification.row_log_loss(y, predict(X))
    order = generator.permutation(len(X))
    loss = np.zeros((len(X), X.shape[-1] if columns is None else columns))
    for column in range(X.shape[-1]):
        changed = X.copy()
        changed[..., column] = X[order, ..., column]
        place = column if places is None else places[column]
        loss[:, place] = classification.row_log_loss(y, predict(changed)) - plain
    return ShuffledLoss(loss, at)


def importance_figures(
    losses: Sequence[ShuffledLoss], columns: Sequence[str], settings: EvaluationSettings
) -> list[dict[str, Any]]:
    """Importance of each column with its interval over all test spans, JSON-safe; the most important column first.

    Args:
        losses: of one model, one for each test span.
        columns: (F,) names.
        settings: of the intervals.
    """
    known = [part for part in losses if len(part.time)]
    if not known:
        return []
    loss = np.concatenate([part.loss for part in known])
    blocks = TimeBlocks(np.concatenate([part.time for part in known]), settings)
    table = []
    for place, name in enumerate(columns):
        figures = Figures()
        figures.add("log_loss", float(np.nanmean(loss[:, place])))
        few = f"{blocks.count} blocks of time are too few"
        figures.add_interval("log_loss_ci", blocks.interval(blocks.means(loss[:, place])), few)
        table.append({"column": name, **figures.to_json()})
    return sorted(table, key=lambda row: (-(row["log_loss"] or 0.0), row["column"]))


class PermutationImportance:
    """Permutation importance of the models of a walk-forward; use it as `WalkOptions.examination`.

    Args:
        rows: of the walk-forward.
        names: models to measure.
        settings: number of rows of each test span (`importance_rows`), intervals and seed.
    """

    def __init__(self, rows: LabelledBars, names: Sequence[str], settings: EvaluationSettings) -> None:
        self._rows = rows
        self._settings = settings
        self._found: dict[str, list[ShuffledLoss]] = {name: [] for name in names}

    def rows(self, fold: FoldRows, name: str) -> int:
        """Rows that are scored: those chosen, once for each column."""
        if name not in self._found:
            return 0
        return min(self._settings.importance_rows, len(fold.test)) * (len(self._rows.columns) + 1)

    def measure(self, fold: FoldRows, name: str, model: Model) -> ShuffledLoss | None:
        """Measure one fitted model on test rows of its fold; None for models that are not measured."""
        if name not in self._found or not self._settings.importance_rows:
            return None
        rows, inputs = self._rows, self._rows.inputs_of(model.feature_names)
        able = fold.test[rows.known[fold.test] & inputs.whole(model.window)[fold.test]]
        generator = np.random.default_rng([self._settings.seed, fold.number])
        chosen = np.sort(generator.permutation(able)[: self._settings.importance_rows])
        if len(chosen) < 2:
            return None
        X = np.asarray(inputs.at(chosen, model.window))
        places = [rows.columns.index(name) for name in model.feature_names] or None
        return shuffle_columns(
            model.predict_proba, X, rows.y[chosen], rows.time[chosen], generator, places, len(rows.columns)
        )

    def add(self, name: str, found: ShuffledLoss) -> None:
        """Keep what was measured in a fold."""
        self._found[name].append(found)

    def to_json(self) -> dict[str, Any]:
        """Importance by model, the most important column first, and a description of the measure."""
        rows = self._settings.importance_rows
        about = (
            f"Permutation importance: increase in log-loss (nats) when the column is shuffled among {rows:,} test rows "
            "of each fold. Correlated columns share their importance."
        )
        models = {
            name: importance_figures(found, self._rows.columns, self._settings)
            for name, found in self._found.items()
            if found
        }
        return {"about": about, "models": models}
