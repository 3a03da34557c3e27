"""No column depends on the currency of prices or the unit of volumes: the same candles at 1e-12 to 1e12 of them."""

from dataclasses import replace

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from quorate.core.types import Candles, Funding
from quorate.features import Bars, build, feature_set
from quorate.features.checks.markets import SYMBOL, extreme, random_walk
from quorate.features.indicators import lows_with_ties
from quorate.features.panel_context import contexts

PRICES = ("open", "high", "low", "close")
SETS = ("core14", "full65", "extended")
SCALES = (1e-12, 1e-9, 1e-6, 0.1, 3.7, 1e6, 1e12)


def scaled(candles, price, volume=1.0):
    return replace(candles, **{name: getattr(candles, name) * price for name in PRICES}, volume=candles.volume * volume)


def ticked(bars, seed, *, digits, price, quiet=False, timeframe="1h"):
    """Candles whose prices are whole ticks, as exchanges give them: equal moves up and down are frequent."""
    candles = random_walk(bars, seed, price=price, quiet=quiet, timeframe=timeframe)
    rounded = {name: np.maximum(np.round(getattr(candles, name), digits), 10.0**-digits) for name in PRICES}
    rounded["high"] = np.maximum.reduce([rounded["high"], rounded["open"], rounded["close"]])
    rounded["low"] = np.minimum.reduce([rounded["low"], rounded["open"], rounded["close"]])
    return replace(candles, **rounded, volume=np.round(candles.volume, 3))


def computed(candles, name, price=1.0, volume=1.0):
    """A feature set of a market, with Bitcoin and another market as its context, in another unit."""
    wanted = feature_set(name)
    own = scaled(candles, price, volume)
    if name != "extended":
        return build(own, wanted)
    others = [
        replace(ticked(len(candles), seed, digits=2, price=at, timeframe=candles.timeframe), symbol=symbol)
        for seed, at, symbol in ((7, 6e4, "BTC/USDT:USDT"), (9, 10.0, "C/USDT:USDT"))
    ]
    # Ranks compare volumes in quote currency, so all markets change their unit together.
    panel = {market.symbol: scaled(market, price, volume) for market in others} | {SYMBOL: own}
    funding = Funding(SYMBOL, candles.time[::8], np.full(len(candles.time[::8]), 1e-4))
    return build(own, wanted, contexts(panel, {SYMBOL: funding})[SYMBOL])


def assert_same(found, expected, names):
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    with np.errstate(invalid="ignore"):
        off = np.abs(found - expected) > 1e-6 * np.maximum(1, np.abs(expected))
    assert not off.any(), [names[place] for place in np.flatnonzero(off.any(axis=0))]


MARKETS = {
    "coarse ticks": ticked(900, 3, digits=3, price=0.05),
    "fine ticks": ticked(900, 4, digits=1, price=6e4),
    "ticks with quiet bars": ticked(900, 6, digits=2, price=33.3, quiet=True),
    "full precision": random_walk(900, 5),
    "flat": extreme("flat", 900, 3, traded=False),
    "ticking": extreme("ticking", 900, 3, traded=False),
    "steady": extreme("steady", 900, 3, traded=False),
    "leaping": extreme("leaping", 900, 3, traded=False),
    "wild": extreme("wild", 900, 3, traded=False),
}


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("market", MARKETS)
def test_columns_are_the_same_in_any_unit(market, name):
    candles, names = MARKETS[market], feature_set(name).names
    expected = computed(candles, name)
    for price, volume in [*((price, 1.0) for price in SCALES), (1e-6, 1e-6), (1e6, 1e9), (1.0, 1e-12), (1.0, 1e12)]:
        assert_same(computed(candles, name, price, volume), expected, names)


def test_a_live_row_is_the_same_in_any_unit():
    """Computed alone at the end of a live frame, as streaming does."""
    candles, wanted = MARKETS["coarse ticks"].tail(498), feature_set("full65")
    expected = build(candles, wanted)[-1]
    for price in SCALES:
        for rows in (1, 5):
            assert_same(build(scaled(candles, price), wanted, newest=rows)[-1:], expected[None], wanted.names)


def check_any_market(seed, digits, price, scale, volume, quiet):
    candles = ticked(560, seed, digits=digits, price=price, quiet=quiet)
    names = feature_set("full65").names
    assert_same(computed(candles, "full65", scale, volume), computed(candles, "full65"), names)


_any_market = hypothesis.given(
    st.integers(0, 10**6), st.integers(0, 6), st.sampled_from([0.02, 0.9, 17.0, 4e4]),
    st.floats(-12, 12).map(lambda power: 10**power), st.floats(-12, 12).map(lambda power: 10**power), st.booleans(),
)  # fmt: skip


@hypothesis.settings(max_examples=25, deadline=None)
@hypothesis.example(7413, 3, 0.02, 10**11.9375, 1.0, False)  # an ADX of 20 to the last digit
@_any_market
def test_columns_of_any_market_are_the_same_in_any_unit(seed, digits, price, scale, volume, quiet):
    check_any_market(seed, digits, price, scale, volume, quiet)


@pytest.mark.slow
@hypothesis.settings(max_examples=10_000, deadline=None)
@_any_market
def test_columns_of_ten_thousand_markets_are_the_same_in_any_unit(seed, digits, price, scale, volume, quiet):
    check_any_market(seed, digits, price, scale, volume, quiet)


def test_equal_moves_count_for_neither_side():
    """By hand: the high rises and the low falls by 0.1 or 0.2 on every bar, so there is no directional movement."""
    n = 60
    reach = np.cumsum(np.where(np.arange(n) % 3, 0.1, 0.2))
    high, low = np.round(100.3 + reach, 1), np.round(33.1 - reach, 1)
    close = np.full(n, 50.0)
    time = 3_600_000 * np.arange(n, dtype=np.int64)
    bars = Bars(Candles("A/USDT", "1h", time, close, high, low, close, np.ones(n)))
    up, down = high[1:] - high[:-1], low[:-1] - low[1:]
    assert (up > down).any()  # rounding errors decide, both ways
    assert (up < down).any()
    assert (bars.plus_di()[14:] == 0).all()
    assert (bars.minus_di()[14:] == 0).all()
    assert (bars.adx()[27:] == 0).all()


def test_lows_change_by_rounding_errors_only_and_by_nothing_later():
    candles = MARKETS["coarse ticks"]
    lows = lows_with_ties(candles.high, candles.low)
    assert (lows != candles.low).any()
    np.testing.assert_allclose(lows, candles.low, rtol=1e-14)
    up, down = candles.high[1:] - candles.high[:-1], lows[:-1] - lows[1:]
    near = np.abs(up - down) <= 1e-12 * candles.high[1:]
    assert near.sum() > 50
    assert (up[near] == down[near]).all()
    for cut in (40, 41, 333, 700):
        np.testing.assert_array_equal(lows_with_ties(candles.high[:cut], candles.low[:cut]), lows[:cut])


def test_lows_without_ties_are_the_candles_own():
    candles = MARKETS["full precision"]
    assert lows_with_ties(candles.high, candles.low) is candles.low
