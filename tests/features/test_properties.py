"""Properties of every feature of every set, on markets that hypothesis chooses.

A market is several symbols with their funding and statistics: one is computed, the others are its context.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from quorate.core.clock import HOUR_MS
from quorate.core.errors import CandleError
from quorate.core.types import STATISTICS, Candles, Funding, MarketStatistics
from quorate.features import build, contexts, feature_names, feature_set, feature_sets
from quorate.features.catalogue import COLUMNS
from quorate.features.checks import CheckMarket, ColumnCheck
from quorate.features.checks import own_columns as own_checks
from quorate.features.checks.markets import random_walk, with_gaps
from quorate.features.checks.properties import live_tail, newest_rows, poisoned_future, repetition, truncation
from quorate.features.own import LIVE_BARS, LIVE_ROWS, ColumnSource
from quorate.market.files.freqtrade_folder import FreqtradeFolder

BARS = 640

few = settings(max_examples=8)


@st.composite
def markets(draw):
    seed = draw(st.integers(0, 10_000))
    quiet = draw(st.booleans())
    price = draw(st.sampled_from([1e-8, 1.0, 1e5]))
    random = np.random.default_rng(seed)
    panel, funding, statistics = {}, {}, {}
    for place, symbol in enumerate(("A/USDT:USDT", "BTC/USDT:USDT", "C/USDT:USDT", "D/USDT:USDT")):
        candles = random_walk(BARS, seed + place, quiet=quiet, price=price, symbol=symbol)
        panel[symbol] = with_gaps(candles, seed + place) if draw(st.booleans()) else candles
        times = candles.time[0] + 8 * HOUR_MS * np.arange(BARS // 8 + 1)
        funding[symbol] = Funding(symbol, times, random.normal(0.0001, 0.0002, len(times)))
        known = {name: np.exp(random.normal(0, 0.3, BARS)) for name in STATISTICS}
        known["premium"] = random.normal(0, 0.001, BARS)
        for values in known.values():
            values[random.random(BARS) < 0.02] = np.nan
        hours = candles.time[0] + HOUR_MS * np.arange(BARS)
        statistics[symbol] = MarketStatistics.of(symbol, "1h", hours, known)
    panel["D/USDT:USDT"] = panel["D/USDT:USDT"][200:]  # listed later
    return CheckMarket(panel, funding, statistics=statistics)


def columns_of(features):
    return feature_set(features).columns


WITHOUT_CONTEXT = [name for name in feature_sets() if not feature_set(name).context]

every_set = pytest.mark.parametrize("features", feature_sets())


@every_set
@few
@given(market=markets())
def test_a_check_market_computes_what_build_does(features, market):
    around = contexts(market.panel, market.funding, statistics=market.statistics)
    context = around[market.symbol] if feature_set(features).context else None
    for newest in (None, 3):
        expected = build(market.candles, features, context, newest=newest)
        np.testing.assert_array_equal(market.compute(columns_of(features), newest), expected)


@every_set
@few
@given(market=markets(), cut=st.integers(400, BARS - 20))
def test_a_truncated_history_gives_the_same_rows(features, market, cut):
    cut = min(cut, len(market.candles) - 1)
    assert truncation(columns_of(features), market, [cut]) is None
    less = market.until(int(market.candles.time[cut])).compute(columns_of(features))
    assert len(less) == cut
    assert np.isfinite(less[-1]).any()


@every_set
@few
@given(market=markets(), cut=st.integers(400, BARS - 20), seed=st.integers(0, 1_000))
def test_a_poisoned_future_changes_nothing(features, market, cut, seed):
    cut = min(cut, len(market.candles) - 1)
    assert poisoned_future(columns_of(features), market, [cut], seed=seed) is None
    # The poison does change the rows that it is in.
    poisoned = market.poisoned(int(market.candles.time[cut]), seed).compute(columns_of(features))
    assert (poisoned[cut:] != market.compute(columns_of(features))[cut:]).any()


@every_set
@few
@given(market=markets())
def test_a_live_frame_gives_the_rows_of_the_whole_history(features, market):
    assert live_tail(columns_of(features), market) is None
    own = [not column.context for column in columns_of(features)]
    assert np.isfinite(market.compute(columns_of(features))[-LIVE_ROWS:, own]).all()


@every_set
@few
@given(market=markets(), bars=st.integers(1, 25))
def test_bar_by_bar_is_the_same_as_all_at_once(features, market, bars):
    rows = range(len(market.candles) - bars, len(market.candles), 6)
    assert newest_rows(columns_of(features), market, rows) is None


@every_set
@few
@given(market=markets())
def test_no_column_changes_what_others_read(features, market):
    assert repetition(columns_of(features), market) is None


@pytest.mark.parametrize("name", [name for name, column in COLUMNS.items() if not column.context])
def test_the_catalogue_passes_what_own_columns_must(name):
    # Each by itself, so that its own warm-up is all the history that it gets.
    source = ColumnSource(name, COLUMNS[name].warmup, "catalogue", "")
    assert ColumnCheck(source, own_checks._first_failure(COLUMNS[name])).error is None


@every_set
@few
@given(market=markets())
def test_candles_of_another_symbol_do_not_leak_in(features, market):
    # Only context columns may differ.
    own = [place for place, column in enumerate(columns_of(features)) if not column.context]
    before = market.compute(columns_of(features))[:, own]
    for symbol in ("C/USDT:USDT", "D/USDT:USDT"):
        replace(market, symbol=symbol).compute(columns_of(features))
    others = dict(market.panel)
    others["C/USDT:USDT"] = replace(others["C/USDT:USDT"], close=others["C/USDT:USDT"].high)
    after = replace(market, panel=others).compute(columns_of(features))[:, own]
    np.testing.assert_array_equal(after, before)


def extreme(kind: str, bars: int, seed: int) -> Candles:
    random = np.random.default_rng(seed)
    price = {
        "flat": np.full(bars, 7.3),
        "wild": np.exp(random.uniform(-300, 300, bars)),
        "leaping": np.where(random.random(bars) < 0.02, 1e300, 1e-300),
        "growing": 1e-200 * 1.9 ** np.arange(bars),
        "steady": 100 * 1.001 ** np.arange(bars),
        "largest": np.full(bars, 1.7e308),
        "smallest": np.full(bars, 5e-324),
        "ticking": 65_000 + 0.1 * (random.random(bars) < 0.05),
    }[kind]
    volume = {
        0: np.zeros(bars),
        1: np.where(random.random(bars) < 0.5, 0.0, 1e300),
        2: np.exp(random.uniform(-700, 700, bars)),
        3: np.full(bars, 5.0),
    }[seed % 4]
    spread = np.where(kind in ("flat", "ticking", "largest", "smallest"), 1.0, 1 + random.random(bars))
    return Candles(
        "A/USDT:USDT",
        "1h",
        HOUR_MS * np.arange(bars),
        price,
        np.maximum(price, price * spread),
        price / spread,
        price,
        volume,
    )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["flat", "wild", "leaping", "growing", "steady", "largest", "smallest", "ticking"])
@pytest.mark.parametrize("features", WITHOUT_CONTEXT)
def test_any_valid_candles_give_finite_features(features, kind, seed):
    X = build(extreme(kind, 800, seed), features)
    assert np.isfinite(X[feature_set(features).warmup :]).all()


@settings(max_examples=150)
@given(st.data())
def test_any_candles_give_finite_features_or_are_refused(data):
    bars = data.draw(st.integers(0, 70))
    floats = st.floats(allow_nan=True, allow_infinity=True)
    likely = st.floats(1e-9, 1e9)
    columns = [
        data.draw(arrays(np.float64, bars, elements=data.draw(st.sampled_from([likely, likely, likely, floats]))))
        for _ in range(5)
    ]
    candles = Candles("A/USDT", "1h", HOUR_MS * np.arange(bars), *columns)
    possible = all(np.isfinite(column).all() and (column > 0).all() for column in columns[:4])
    possible &= bool(np.isfinite(columns[4]).all() and (columns[4] >= 0).all())
    if possible:
        assert np.isfinite(build(candles, "core14")[49:]).all()
    else:
        with pytest.raises(CandleError):
            build(candles, "core14")


@pytest.mark.parametrize("price", [7.3, 0.1, 1 / 3, 3e-9, 64_999.9])
@pytest.mark.parametrize("features", WITHOUT_CONTEXT)
def test_on_a_flat_market_without_volume_no_column_moves(features, price):
    close = np.full(600, price)
    flat = Candles("A/USDT:USDT", "1h", HOUR_MS * np.arange(600), close, close, close, close, np.zeros(600))
    X = build(flat, features)[feature_set(features).warmup :]
    for name, values in zip(feature_names(features), X.T, strict=True):
        if not name.startswith(("hour", "day_")):
            # Averages of equal closes may be a rounding error off, and no more. Such a market does range.
            np.testing.assert_allclose(values, float(name == "is_ranging"), atol=1e-12, err_msg=name)


@pytest.mark.data
@pytest.mark.parametrize("timeframe", ["1h", "4h"])
def test_real_candles_give_finite_features_in_live_frames_too(timeframe):
    folder = os.environ.get("QUORATE_DATA")
    if folder is None:
        pytest.skip("QUORATE_DATA does not name the folder of real candles")
    source = FreqtradeFolder(Path(folder) / "binance")
    for symbol in source.symbols(timeframe, perpetual=True)[::12]:
        candles = source.candles(symbol, timeframe)
        if len(candles) < LIVE_BARS + LIVE_ROWS:
            continue
        for features in ("core14", "core30", "full65"):
            whole = build(candles, features)
            assert np.isfinite(whole[feature_set(features).warmup :]).all(), symbol
            for end in (len(candles), len(candles) // 2 + LIVE_BARS // 2, LIVE_BARS + LIVE_ROWS):
                market = CheckMarket({symbol: candles[:end]}, symbol=symbol)
                assert live_tail(columns_of(features), market) is None
