"""The rivals of the volatility forecast: each reads no later bar and means what its name says."""

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from quorate.core.clock import DAY_MS
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
