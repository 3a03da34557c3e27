import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.types import Action, Candles
from quorate.features import Bars, build, cross_section, feature_set
from quorate.features.rescaled import hide_rescaled, rescaled_rows
from quorate.models.rules import rule_actions
from quorate.targets import ForwardReturn
from quorate.targets.dataset import build_dataset


def redenominated(candles, at, factor=100.0, gap=72):
    prices = {name: getattr(candles, name).copy() for name in ("open", "high", "low", "close")}
    for values in prices.values():
        values[at:] *= factor
    time = candles.time.copy()
    time[at:] += gap * HOUR_MS
    return Candles(candles.symbol, candles.timeframe, time, **prices, volume=candles.volume)


@pytest.fixture
def candles(make_candles):
    return redenominated(make_candles(1200, 5, timeframe="1h"), 600)


def test_rows_after_a_change_are_marked_for_the_warm_up(candles, make_candles):
    assert rescaled_rows(make_candles(1200, 5, timeframe="1h"), "1h") is None
    assert np.flatnonzero(rescaled_rows(candles, "1h")).tolist() == list(range(600, 800))
    assert np.flatnonzero(rescaled_rows(candles, "1h", 370)).tolist() == list(range(600, 970))


@pytest.mark.parametrize("newest", [None, 1, 700])
def test_features_of_these_rows_are_hidden(candles, newest):
    wanted = feature_set("core14")
    X = build(candles, wanted, newest=newest)
    hide_rescaled(X, candles, "1h", wanted.warmup)
    hidden = np.flatnonzero(~np.isfinite(X).all(axis=1)) + 1200 - len(X)
    assert hidden.tolist() == [row for row in (*range(49), *range(600, 800)) if row >= 1200 - len(X)]


def test_no_label_and_no_training_row_spans_a_change_without_a_gap(make_candles):
    candles = redenominated(make_candles(1200, 5, timeframe="1h"), 600, gap=0)
    labels = ForwardReturn(4).label(candles)
    assert np.flatnonzero(~labels.known).tolist() == [596, 597, 598, 599, 1196, 1197, 1198, 1199]
    data = build_dataset({"X/USDT": candles}, "core14", ForwardReturn(4))
    rows = np.searchsorted(candles.time, data.time)
    assert set(rows.tolist()) == set(range(49, 1196)) - set(range(596, 800))
    assert np.abs(data.forward_return).max() < 1


def test_rules_hold_there(candles):
    action = rule_actions(Bars(candles)).action
    assert (action[600:800] == Action.HOLD).all()
    assert (action[800:] != Action.HOLD).any()


def test_one_market_does_not_move_the_mean_of_all(candles, make_candles):
    others = {name: make_candles(1300, seed, timeframe="1h") for seed, name in enumerate("ABC")}
    market = cross_section({"X": candles, **others})
    alone = cross_section(others)
    time = candles.time[600:610]
    for name in market.names:
        np.testing.assert_allclose(market.mean(name, time), alone.mean(name, time), rtol=1e-6)
