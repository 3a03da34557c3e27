"""Which columns a model's skill rests on: how much worse it does when one of them is shuffled among test rows.

Permutation importance (Breiman 2001; Fisher, Rudin and Dominici 2019) on bars the model was not fitted on, so that it
says what a column was worth there, and not how often a tree split on it. Columns that say the same share their worth:
each can be shuffled at little cost as long as the other stays.
"""

from __future__ import annotations

import time
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
class Shuffling:
    """What one model lost by each column on some test rows.

    Attributes:
        loss: (rows, F) log-loss with that column shuffled less log-loss as it is, nats.
        time: (rows,) int64 open times in ms.
    """

    loss: FloatArray
    time: IntArray


def shuffle_columns(
    predict: Predict, X: Float32Array, y: ActionArray, at: IntArray, generator: np.random.Generator
) -> Shuffling:
    """Shuffle one column after the other among the rows; a window's column moves as a whole.

    Args:
        predict: of a fitted model.
        X: (rows, F), or (rows, L, F) for a model of windows.
        y: (rows,) classes.
        at: (rows,) open times in ms.
        generator: draws one order of the rows, the same for every column.
    """
    plain = classification.row_log_loss(y, predict(X))
    order = generator.permutation(len(X))
    loss = np.empty((len(X), X.shape[-1]))
    for column in range(X.shape[-1]):
        changed = X.copy()
        changed[..., column] = X[order, ..., column]
        loss[:, column] = classification.row_log_loss(y, predict(changed)) - plain
    return Shuffling(loss, at)


def importance_figures(
    shufflings: Sequence[Shuffling], columns: Sequence[str], settings: EvaluationSettings
) -> list[dict[str, Any]]:
    """Each column's cost of being shuffled with its interval, over all test parts, the most important first.

    Args:
        shufflings: of one model, one a test part.
        columns: (F,) names.
        settings: of the intervals.
    """
    known = [part for part in shufflings if len(part.time)]
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


class Importance:
    """Shuffles columns for every model that a walk shows it, on some rows of each test part.

    Args:
        rows: of the walk.
        names: models to look at.
        settings: how many rows of each test part, and the seed.

    Attributes:
        seconds: spent so far.
    """

    def __init__(self, rows: LabelledBars, names: Sequence[str], settings: EvaluationSettings) -> None:
        self.seconds = 0.0
        self._rows = rows
        self._settings = settings
        self._found: dict[str, list[Shuffling]] = {name: [] for name in names}

    def __call__(self, step: FoldRows, name: str, model: Model) -> None:
        """Look at one fitted model."""
        if name not in self._found or not self._settings.importance_rows:
            return
        began = time.perf_counter()
        rows, inputs = self._rows, self._rows.inputs
        able = step.test[rows.known[step.test] & inputs.whole(model.window)[step.test]]
        generator = np.random.default_rng([self._settings.seed, step.number])
        chosen = np.sort(generator.permutation(able)[: self._settings.importance_rows])
        if len(chosen) > 1:
            X = np.asarray(inputs.at(chosen, model.window))
            found = shuffle_columns(model.predict_proba, X, rows.y[chosen], rows.time[chosen], generator)
            self._found[name].append(found)
        self.seconds += time.perf_counter() - began

    def to_json(self) -> dict[str, Any]:
        """Model -> columns, the most important first; and how it was measured."""
        rows = self._settings.importance_rows
        about = (
            f"Permutation importance: log-loss, in nats, that is added when the column is shuffled among {rows:,} test "
            "rows of each fold. Columns that say the same share their worth."
        )
        models = {
            name: importance_figures(found, self._rows.columns, self._settings)
            for name, found in self._found.items()
            if found
        }
        return {"about": about, "models": models}
