from __future__ import annotations

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.settings import EvaluationSettings, LightGBMSettings, ModelSettings, Settings, TrainSettings
from quorate.evaluation.walk_forward.labelled_bars import build_rows
from quorate.evaluation.walk_forward.permutation_importance import (
    PermutationImportance,
    importance_figures,
    shuffle_columns,
)
from quorate.evaluation.walk_forward.walk import WalkOptions, walk
from quorate.market import SyntheticMarket
from quorate.targets import ForwardClass

SETTINGS = EvaluationSettings(resamples=100, folds=2, importance_rows=300)


def softmax(lean: np.ndarray) -> np.ndarray:
    raw = np.exp(np.column_stack([-lean, np.zeros(len(lean)), lean]))
    return raw / raw.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("shape", [(600, 3), (600, 5, 3)])
def test_a_column_is_worth_what_its_loss_costs(shape: tuple[int, ...]) -> None:
    """The model reads the first column of the newest bar only; of a window, the column moves as a whole."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=shape).astype(np.float32)
    newest = X if X.ndim == 2 else X[:, -1]
    y = np.where(newest[:, 0] > 0.5, 2, np.where(newest[:, 0] < -0.5, 0, 1)).astype(np.int8)
    before = X.copy()

    def predict(inputs: np.ndarray) -> np.ndarray:
        return softmax(2.0 * (inputs if inputs.ndim == 2 else inputs[:, -1])[:, 0].astype(np.float64))

    found = shuffle_columns(predict, X, y, np.arange(len(X)) * HOUR_MS, np.random.default_rng(2))
    assert (before == X).all()
    table = importance_figures([found], ("read", "unread", "noise"), SETTINGS)
    assert table[0]["column"] == "read"
    assert table[0]["log_loss"] > 0.3
    assert table[0]["log_loss_ci"][0] > 0
    assert [row["log_loss"] for row in table[1:]] == [0.0, 0.0]


def test_a_walk_shows_its_models_on_rows_they_were_not_fitted_on() -> None:
    market = SyntheticMarket(seed=3, symbols=2, bars=800, edge=0.3)
    rows = build_rows(market.panel(), "core14", ForwardClass())
    settings = Settings(
        models=ModelSettings(lightgbm=LightGBMSettings(trees=15, depth=3, l2_share=0.0)),
        train=TrainSettings(threads=1),
        evaluation=SETTINGS,
    )
    shuffled = PermutationImportance(rows, ("lightgbm",), SETTINGS)
    done = walk(rows, ("lightgbm",), settings, WalkOptions(examination=shuffled))
    document = shuffled.to_json()
    assert "shuffled among 300 test rows" in document["about"]
    (columns,) = document["models"].values()
    assert {row["column"] for row in columns} == set(rows.columns)
    worth = [row["log_loss"] for row in columns]
    assert worth == sorted(worth, reverse=True)
    assert worth[0] > 0.005
    # Judged on test rows alone: every row that was looked at lies in some step's test part.
    looked = np.concatenate([part.time for part in shuffled._found["lightgbm"]])
    assert looked.min() >= done.start
    off = PermutationImportance(rows, ("lightgbm",), EvaluationSettings(importance_rows=0))
    walk(rows, ("lightgbm",), settings, WalkOptions(examination=off))
    assert off.to_json()["models"] == {}
