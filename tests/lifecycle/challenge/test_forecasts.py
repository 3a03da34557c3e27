"""Forecasts on a bar: the bound of their difference, and the losses once labels are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.clock import HOUR_MS
from quorate.core.types import Candles
from quorate.lifecycle.challenge.forecasts import BarForecasts, floored
from quorate.targets import ForwardClass

TARGET = ForwardClass(horizon=2, band=0.005)


def candles(symbol: str, *closes: float, first: int = 0) -> Candles:
    close = np.array(closes)
    time = HOUR_MS * (first + np.arange(len(close)))
    return Candles(symbol, "1h", time, close, close, close, close, np.ones(len(close)))


def test_losses_by_hand():
    ours, theirs = np.array([[0.2, 0.3, 0.5], [0.2, 0.6, 0.2]]), np.array([[0.1, 0.1, 0.8], [0.3, 0.4, 0.3]])
    forecasts = BarForecasts(HOUR_MS, ("A", "B"), ours, theirs)
    known = {"A": candles("A", 100.0, 100.0, 99.0, 102.0), "B": candles("B", 100.0, 100.0, 101.0, 100.2)}
    found = forecasts.matured(known, TARGET)
    assert found.markets == 2
    assert found.champion_loss == pytest.approx(-(np.log(0.5) + np.log(0.6)) / 2), "BUY in A, HOLD in B"
    assert found.challenger_loss == pytest.approx(-(np.log(0.8) + np.log(0.4)) / 2)
    assert forecasts.bound == pytest.approx((np.log(0.3 / 0.1) + np.log(0.6 / 0.4)) / 2)


def test_a_market_without_its_horizon_is_not_labelled():
    forecasts = BarForecasts(HOUR_MS, ("A", "B", "C"), np.full((3, 3), 1 / 3), np.full((3, 3), 1 / 3))
    found = forecasts.matured({"A": candles("A", 100.0, 100.0, 99.0), "B": candles("B", 1.0, 2.0, first=2)}, TARGET)
    assert (found.markets, found.champion_loss, found.challenger_loss) == (0, 0.0, 0.0)


_PROBABILITIES = st.lists(st.floats(0.0, 1.0), min_size=3, max_size=3).filter(lambda row: sum(row) > 1e-3)


@given(
    st.lists(st.tuples(_PROBABILITIES, _PROBABILITIES, st.integers(0, 2)), min_size=1, max_size=6),
    st.sampled_from([1e-6, 0.01, 0.3]),
)
def test_no_outcome_is_beyond_the_bound(rows, least):
    ours, theirs = (floored(np.array([row[side] for row in rows]), least) for side in (0, 1))
    assert ours.min() >= least * (1 - 1e-9)
    np.testing.assert_allclose(ours.sum(axis=1), 1.0)
    forecasts = BarForecasts(0, tuple(map(str, range(len(rows)))), ours, theirs)
    chosen = [row[2] for row in rows]
    at = np.arange(len(rows))
    difference = np.mean(np.log(theirs[at, chosen]) - np.log(ours[at, chosen]))
    assert abs(difference) <= forecasts.bound + 1e-12


def test_no_market_no_stake():
    assert BarForecasts(0, (), np.empty((0, 3)), np.empty((0, 3))).bound == 0.0
