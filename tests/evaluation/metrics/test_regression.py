from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from quorate.core.clock import HOUR_MS
from quorate.core.errors import EvaluationError
from quorate.core.settings import EvaluationSettings
from quorate.evaluation.metrics.regression import r2_vs_zero, return_baselines, return_figures
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks

SETTINGS = EvaluationSettings(resamples=200)


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray, TimeBlocks]:
    random = np.random.default_rng(3)
    y = random.standard_t(4, 2_000) / 100
    time = np.repeat(np.arange(1_000), 2) * HOUR_MS  # two symbols
    return y, time, TimeBlocks(time, SETTINGS)


def test_hand_worked_errors() -> None:
    y, predicted = np.array([0.02, -0.01, 0.03]), np.array([0.01, -0.01, np.nan])
    blocks = TimeBlocks(np.arange(3) * HOUR_MS, SETTINGS)
    figures = return_figures(y, predicted, np.arange(3) * HOUR_MS, blocks, horizon=1)
    assert figures["rmse"] == pytest.approx(0.01 / np.sqrt(2))
    assert figures["mae"] == pytest.approx(0.005)
    assert r2_vs_zero(y, predicted) == pytest.approx(1 - 0.0001 / 0.0005)


def test_a_forecast_that_knows_a_little_beats_zero_and_says_how_surely(rows: tuple) -> None:
    y, time, blocks = rows
    noise = np.random.default_rng(4).normal(0, 0.01, len(y))
    figures = return_figures(y, 0.3 * (y + noise), time, blocks, horizon=1)
    json.dumps(figures, allow_nan=False)
    for name in ("rmse", "mse", "mae", "r2_vs_zero", "rank_ic"):
        low, high = figures[f"{name}_ci"]
        assert low < figures[name] < high, name
    assert figures["r2_vs_zero_ci"][0] > 0
    assert figures["rank_ic"] == pytest.approx(stats.spearmanr(0.3 * (y + noise), y).statistic)
    assert figures["mse"] == pytest.approx(figures["rmse"] ** 2)
    assert figures["against_zero"] < -5
    assert figures["against_zero_p"] < 1e-6


def test_zero_and_the_mean_are_measured_like_any_model(rows: tuple) -> None:
    y, time, blocks = rows
    found = return_baselines(y, 0.01, time, blocks, horizon=4)
    zero, mean = found["predict_zero"], found["predict_mean"]
    assert zero["rmse"] == pytest.approx(np.sqrt((y**2).mean()))
    assert zero["r2_vs_zero"] == 0
    assert zero["missing"]["against_zero"] == "the losses differ by the same in every period"
    assert mean["r2_vs_zero"] < 0  # the past's mean was far off
    assert mean["against_zero"] > 0
    assert mean["missing"]["rank_ic"] == "does not vary"


def test_noise_does_not_beat_zero(rows: tuple) -> None:
    y, time, blocks = rows
    figures = return_figures(y, np.random.default_rng(5).normal(0, 0.01, len(y)), time, blocks, horizon=1)
    assert figures["r2_vs_zero"] < 0
    assert figures["against_zero"] > 0


def test_abstentions_are_left_out_and_counted_and_nonsense_is_refused(rows: tuple) -> None:
    y, time, blocks = rows
    half = np.where(np.arange(len(y)) % 2, np.nan, y)
    figures = return_figures(y, half, time, blocks, horizon=1)
    assert (figures["n"], figures["abstained"], figures["rmse"]) == (1_000, 1_000, 0)
    silent = return_figures(y, np.full(len(y), np.nan), time, blocks, horizon=1)
    assert silent["rmse"] is None
    assert silent["missing"]["rmse"] == "no prediction"
    with pytest.raises(EvaluationError):
        return_figures(np.full(len(y), np.nan), y, time, blocks, horizon=1)
