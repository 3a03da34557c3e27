"""The rivals of the volatility forecast: each reads no later bar and means what its name says."""

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from quorate.core.clock import DAY_MS
from quorate.core.settings import EvaluationSettings
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.market import SyntheticMarket
from quorate.models.volatility import forecast_all
from quorate.models.volatility.variance_history import VarianceHistory

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def rivals():
    sys.path.insert(0, str(FOLDER))
    try:
        yield import_module("volatility_study.rivals")
    finally:
        sys.path.remove(str(FOLDER))


@pytest.fixture(scope="module")
def candles():
    return SyntheticMarket(seed=4, symbols=1, bars=1_500).candles("SYNA/USDT:USDT")


def test_pooling_one_market_is_its_own_forecast(rivals, candles):
    history, start = VarianceHistory(candles), int(candles.time[800]) // DAY_MS * DAY_MS
    made = rivals.pooled({"A": history}, 5, start)["A"]
    own = forecast_all(candles)["5 bars"].value ** 2
    rows = candles.time >= start
    np.testing.assert_allclose(made[rows], own[rows], rtol=1e-9)
    assert np.isnan(made[~rows]).all()


def test_pooled_weights_lie_between_those_of_the_markets(rivals, candles):
    other = SyntheticMarket(seed=9, symbols=1, bars=1_500).candles("SYNA/USDT:USDT")
    start = int(candles.time[800]) // DAY_MS * DAY_MS
    both = rivals.pooled({"A": VarianceHistory(candles), "B": VarianceHistory(other)}, 5, start)
    own = forecast_all(candles)["5 bars"].value ** 2
    rows = candles.time >= start
    apart = np.abs(np.log(both["A"][rows] / own[rows]))
    assert 0 < apart.mean() < 0.2


def test_trailing_and_exponential_averages_by_hand(rivals, candles):
    squared = rivals.returns(candles) ** 2
    history = VarianceHistory(candles)
    assert rivals.trailing(history, candles, 24)[500] == pytest.approx(squared[477:501].mean())
    by_hand = squared[:24].mean()
    for value in squared[:40]:
        by_hand = 0.9 * by_hand + 0.1 * value
    assert rivals.smoothed(squared, 0.9)[39] == pytest.approx(by_hand)


def test_garch_reads_no_later_bar_and_sums_its_steps(rivals, candles):
    start = int(candles.time[1_000])
    horizons = {"1 bar": 1, "5 bars": 5, "1 day": 24}
    whole = rivals.garch(candles, start, horizons)
    short = rivals.garch(candles[:1_200], start, horizons)
    for name in horizons:
        np.testing.assert_allclose(short[name][1_000:1_200], whole[name][1_000:1_200], rtol=1e-6)
    one, five, day = (whole[name][1_000:] for name in horizons)
    assert ((five > 3 * one) & (five < 8 * one)).all()
    assert np.mean(day / 24) == pytest.approx(np.mean(one), rel=0.5)


@pytest.fixture(scope="module")
def use(rivals):
    return import_module("volatility_use")


def blocks_of(time):
    return TimeBlocks(time, EvaluationSettings(resamples=50))


def test_gate_of_a_measure_that_knows_the_move(use):
    generator = np.random.default_rng(1)
    size = np.abs(generator.normal(0, 0.03, 4_000))
    table = {
        "moved": size,
        "time": 3_600_000 * np.arange(4_000),
        "volatility_20": generator.uniform(0, 0.06, 4_000),
        "ATR(14)": -size,
        "forecast": size,
    }
    kinds = use.gate(table, blocks_of(table["time"]))["kinds"]
    assert kinds["forecast"]["auc"] == 1
    assert kinds["ATR(14)"]["auc"] == 0
    assert kinds["volatility_20"]["auc"] == pytest.approx(0.5, abs=0.03)
    assert kinds["forecast"]["gain_ci"][0] > 0.4
    assert kinds["forecast"]["mean_move"]["40"] == pytest.approx(np.sort(size)[-40:].mean())


def test_stops_are_hit_as_often_and_evenly_by_the_measure_that_knows(use):
    generator = np.random.default_rng(2)
    n = 20_000
    true = np.where(np.arange(n) % 24 < 12, 0.01, 0.04)
    table = {
        "market": np.arange(n) % 3,
        "time": use.START + 3_600_000 * np.arange(n),
        "volatility_20": np.full(n, 0.02) * generator.uniform(0.9, 1.1, n),
        "ATR(14)": np.full(n, 0.02),
        "forecast": true,
        "fell": -true * generator.exponential(1, n),
        "rose": true * generator.exponential(1, n),
    }
    found = use.stops(table, blocks_of(table["time"]))
    assert {round(row["hit"], 2) for row in found.values()} == {round(found["ATR(14)"]["hit"], 2)}
    assert found["forecast"]["spread"]["hour"] < 0.2 * found["ATR(14)"]["spread"]["hour"]
    assert found["forecast"]["change_ci"]["hour"][1] < 0
    assert found["ATR(14)"]["multiple"] == pytest.approx(2, rel=0.02)


def test_sizes_by_a_better_measure_have_more_equal_risks(use):
    generator = np.random.default_rng(3)
    realised = np.exp(generator.normal(-4, 0.5, 3_000))
    table = {
        "time": 3_600_000 * np.arange(3_000),
        "realised 5 bars": realised,
        "volatility_20": np.full(3_000, 0.02),
        "ATR(14)": realised * np.exp(generator.normal(0, 0.3, 3_000)),
        "forecast 5 bars": 3 * realised * np.exp(generator.normal(0, 0.15, 3_000)),
    }
    kinds = use.sizes(table, blocks_of(table["time"]), "5 bars")["kinds"]
    assert kinds["volatility_20"]["deviation"] == pytest.approx(0.5, rel=0.05)
    assert kinds["forecast"]["deviation"] == pytest.approx(0.15, rel=0.05)
    assert kinds["forecast"]["change_ci"] == pytest.approx((-0.5, -0.5), abs=0.05)
