"""Worked by hand: ATR 1, stop 2 ATR, target 2.5 stops, five bars of an hour."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.clock import HOUR_MS
from quorate.core.settings import ExitSettings
from quorate.integrations.freqtrade import Plan, fit_leverage, make_plan
from quorate.integrations.freqtrade.strategies.trade_plan import stop_ratio
from quorate.trading import CONSERVATIVE_TIERS, Contract

TICK = Contract("BTC/USDT:USDT", tick=0.01)


def plan(side=1, liquidation=None, exits=None, entry=100.0, atr=1.0):
    return make_plan(entry, side, atr, 10 * HOUR_MS, 5, "1h", exits or ExitSettings(), TICK, liquidation)


def test_a_long_and_a_short():
    assert (plan().stop, plan().target, plan().due) == (98.0, 105.0, 15 * HOUR_MS)
    assert (plan(-1).stop, plan(-1).target) == (102.0, 95.0)
    assert plan(exits=ExitSettings(time_bars=2)).due == 12 * HOUR_MS


def test_the_stop_is_at_most_half_the_way_to_the_liquidation_and_the_target_follows():
    near = plan(liquidation=98.0)
    assert (near.stop, near.target) == (99.0, 102.5)
    assert plan(-1, liquidation=103.0).stop == 101.5
    # A spot position is liquidated at nothing: a stop of two ATR of 40 is drawn in to half the price.
    assert plan(atr=40.0).stop == 50.0


@pytest.mark.parametrize(
    ("now", "price", "ends"),
    [
        (11, 100.0, None),
        (11, 98.0, "stop"),
        (11, 97.0, "stop"),
        (11, 105.0, "target"),
        (14.99, 101.0, None),
        (15, 101.0, "time"),
        (15, 97.0, "time"),  # at the open of the bar the time exit comes first
    ],
)
def test_why_a_long_ends(now, price, ends):
    assert plan().over(int(now * HOUR_MS), price) == ends


def test_a_short_ends_the_other_way_round():
    assert plan(-1).over(11 * HOUR_MS, 102.0) == "stop"
    assert plan(-1).over(11 * HOUR_MS, 95.0) == "target"
    assert plan(-1).over(11 * HOUR_MS, 98.0) is None


def test_a_trailing_stop_follows_and_never_goes_back():
    exits = ExitSettings(trail_atr=1.5)
    assert plan(exits=exits).trailed(103.0, exits, TICK) == 101.5
    assert plan(exits=exits).trailed(99.0, exits, TICK) == 98.0
    assert plan(-1, exits=exits).trailed(97.0, exits, TICK) == 98.5
    assert plan().trailed(103.0, ExitSettings(), TICK) == 98.0


def test_a_plan_survives_freqtrades_database():
    assert Plan.from_json(plan().to_json()) == plan()


@given(
    entry=st.floats(1e-3, 1e5),
    atr=st.floats(1e-4, 0.2),
    side=st.sampled_from([1, -1]),
    most=st.integers(1, 50),
    margin=st.floats(10, 1_000),
)
def test_with_the_fitted_leverage_the_stop_lies_within_half_the_way(entry, atr, side, most, margin):
    distance = 2 * atr * entry
    leverage = fit_leverage(most, entry, side, distance, margin, CONSERVATIVE_TIERS)
    assert 1 <= leverage <= most
    assert leverage == most or leverage == int(leverage)

    def room(leverage):
        quantity = margin * leverage / entry
        return side * (entry - CONSERVATIVE_TIERS.liquidation_price(side, quantity, entry, margin)) / 2

    if leverage > 1:
        assert distance <= room(leverage) * (1 + 1e-9)
    if leverage < most:
        assert distance > room(min(most, leverage + 1)) * (1 - 1e-9)


@given(
    ticks=st.integers(10_000, 10_000_000),
    away=st.integers(1, 5_000),
    side=st.sampled_from([1, -1]),
    leverage=st.integers(1, 20),
)
def test_freqtrades_own_arithmetic_gives_the_stop_back_to_the_tick(ticks, away, side, leverage):
    """Freqtrade makes a price of the ratio and rounds it to a tick, towards the entry."""
    price, stop = ticks / 100, (ticks - side * away) / 100
    ratio = stop_ratio(stop, price, side, leverage)
    assert ratio > 0
    again = price * (1 - side * ratio / leverage) * 100
    rounded = -(-again // 1) if side > 0 else again // 1
    assert rounded == ticks - side * away
