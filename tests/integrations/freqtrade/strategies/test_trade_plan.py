"""Exit plans worked by hand: ATR 1, stop 2 ATR, target 2.5 stops, five bars of an hour."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

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


def test_levels_of_a_long_and_a_short():
    assert (plan().stop, plan().target, plan().due) == (98.0, 105.0, 15 * HOUR_MS)
    assert (plan(-1).stop, plan(-1).target) == (102.0, 95.0)
    assert plan(exits=ExitSettings(time_bars=2)).due == 12 * HOUR_MS


def test_the_stop_is_at_most_half_the_distance_to_the_liquidation_and_scales_the_target():
    near = plan(liquidation=98.0)
    assert (near.stop, near.target) == (99.0, 102.5)
    assert plan(-1, liquidation=103.0).stop == 101.5
    # Spot counts as liquidated at a price of 0: a stop of two ATR of 40 is limited to half the price.
    assert plan(atr=40.0).stop == 50.0


@pytest.mark.parametrize(
    ("now", "price", "reason"),
    [
        (11, 100.0, None),
        (11, 98.0, "stop"),
        (11, 97.0, "stop"),
        (11, 105.0, "target"),
        (14.99, 101.0, None),
        (15, 101.0, "time"),
        (15, 97.0, "time"),  # the time exit takes precedence at the open of the bar
    ],
)
def test_the_exit_reason_of_a_long(now, price, reason):
    assert plan().exit_reason(int(now * HOUR_MS), price) == reason


def test_the_exit_reason_of_a_short():
    assert plan(-1).exit_reason(11 * HOUR_MS, 102.0) == "stop"
    assert plan(-1).exit_reason(11 * HOUR_MS, 95.0) == "target"
    assert plan(-1).exit_reason(11 * HOUR_MS, 98.0) is None


def test_a_trailing_stop_moves_in_one_direction_only():
    exits = ExitSettings(trail_atr=1.5)
    assert plan(exits=exits).trailing_stop(103.0, exits, TICK) == 101.5
    assert plan(exits=exits).trailing_stop(99.0, exits, TICK) == 98.0
    assert plan(-1, exits=exits).trailing_stop(97.0, exits, TICK) == 98.5
    assert plan().trailing_stop(103.0, ExitSettings(), TICK) == 98.0


def test_a_plan_is_the_same_after_its_json():
    assert Plan.from_json(plan().to_json()) == plan()


@given(
    entry=st.floats(1e-3, 1e5),
    atr=st.floats(1e-4, 0.2),
    side=st.sampled_from([1, -1]),
    limit=st.integers(1, 50),
    margin=st.floats(10, 1_000),
)
def test_the_fitted_leverage_is_the_largest_that_fits_the_stop(entry, atr, side, limit, margin):
    distance = 2 * atr * entry
    leverage = fit_leverage(limit, entry, side, distance, margin, CONSERVATIVE_TIERS)
    assert 1 <= leverage <= limit
    assert leverage == limit or leverage == int(leverage)

    def room(leverage):
        quantity = margin * leverage / entry
        return side * (entry - CONSERVATIVE_TIERS.liquidation_price(side, quantity, entry, margin)) / 2

    if leverage > 1:
        assert distance <= room(leverage) * (1 + 1e-9)
    if leverage < limit:
        assert distance > room(min(limit, leverage + 1)) * (1 - 1e-9)


@given(
    ticks=st.integers(10_000, 10**11),
    away=st.integers(1, 5_000),
    side=st.sampled_from([1, -1]),
    leverage=st.integers(1, 20),
    places=st.sampled_from([2, 8, 13, 20]),
)
def test_freqtrades_arithmetic_gives_the_same_stop_to_the_tick(ticks, away, side, leverage, places):
    """Freqtrade converts the ratio to a price and rounds it to a tick, towards the entry."""
    tick = Decimal(1).scaleb(-places)
    price, stop = float(ticks * tick), float((ticks - side * away) * tick)
    ratio = stop_ratio(stop, price, side, leverage, float(tick))
    assert ratio > 0
    converted = Decimal(price * (1 - side * ratio / leverage)) / tick
    rounded = converted.to_integral_value(ROUND_CEILING if side > 0 else ROUND_FLOOR)
    assert rounded == ticks - side * away


def test_a_plan_below_a_millionth_of_a_millionth():
    plan = make_plan(2.5e-12, 1, 1e-14, 0, 5, "1h", ExitSettings(), Contract("X/USDT", tick=1e-16), None)
    assert (plan.stop, plan.target) == (2.48e-12, 2.55e-12)
    down = make_plan(2.5e-12, -1, 1.00004e-14, 0, 5, "1h", ExitSettings(), Contract("X/USDT:USDT", tick=1e-16), 4e-12)
    assert (down.stop, down.target) == (2.52e-12, 2.4499e-12)
