"""Columns of market statistics against plain loops over the clock, and what happens where they are missing."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import fmean

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS, timeframe_ms
from quorate.core.errors import FeatureError
from quorate.core.types import STATISTICS, MarketStatistics
from quorate.features import Context, build, feature_names
from quorate.features.catalogue import GROUPS

BARS = 420
SYMBOL = "A/USDT:USDT"
SETS = ("open_interest", "long_short", "taker", "premium")


def made(candles, seed=5):
    """Statistics from 200 intervals before the first bar on, with a hole, single unknown values, and zeros."""
    random = np.random.default_rng(seed)
    length = timeframe_ms(candles.timeframe)
    time = int(candles.time[0]) + length * np.arange(-200, len(candles))
    known = {name: np.exp(random.normal(0, 0.5, len(time))) for name in STATISTICS}
    known["premium"] = random.normal(0, 0.001, len(time))
    for values in known.values():
        values[random.random(len(time)) < 0.05] = np.nan
    known["open_interest"][320] = 0.0
    known["taker_buy_volume"][330:] = np.nan  # from here on the ratio counts
    known["taker_buy_volume"][340] = known["taker_sell_volume"][340] = 0.0
    keep = np.ones(len(time), bool)
    keep[400:470] = False
    return MarketStatistics.of(
        candles.symbol, candles.timeframe, time[keep], {name: values[keep] for name, values in known.items()}
    )


@pytest.fixture(scope="module", params=["1h", "4h", "1d"])
def candles(request, make_candles):
    return make_candles(BARS, 3, symbol=SYMBOL, timeframe=request.param, quiet=True)


@pytest.fixture(scope="module")
def statistics(candles):
    return made(candles)


def expected(candles, statistics):
    """Column -> values, by look-ups of dictionaries at times."""
    length = timeframe_ms(candles.timeframe)
    at = {
        name: dict(zip(statistics.time.tolist(), getattr(statistics, name).tolist(), strict=True))
        for name in STATISTICS
    }

    def value(name, time):
        return at[name].get(time, math.nan)

    def share(time):
        bought, sold = value("taker_buy_volume", time), value("taker_sell_volume", time)
        if bought + sold > 0:
            return bought / (bought + sold)
        ratio = value("taker_buy_ratio", time)
        return ratio / (1 + ratio)

    def change(name, time, bars):
        newest, earlier = value(name, time), value(name, time - bars * length)
        return math.log(newest / earlier) if newest > 0 and earlier > 0 else math.nan

    def mean(of, time, intervals):
        known = [x for x in (of(time - back * length) for back in range(intervals)) if not math.isnan(x)]
        return fmean(known) if len(known) >= 0.75 * intervals else math.nan

    out = {}
    times = candles.time.tolist()
    for bars in (1, 24, 168):
        out[f"open_interest_change_{bars}"] = [change("open_interest", time, bars) for time in times]
        out[f"taker_buy_{bars}"] = [mean(share, time, bars) - 0.5 for time in times]
    volume = candles.volume.tolist()
    out["open_interest_to_volume_24"] = [
        math.nan
        if row < 23 or math.isnan(value("open_interest", time))
        else math.log1p(value("open_interest", time) / sum(volume[row - 23 : row + 1]))
        if sum(volume[row - 23 : row + 1])
        else 0.0
        for row, time in enumerate(times)
    ]
    for name in ("long_short_accounts", "long_short_top_accounts", "long_short_top_positions"):
        out[name] = [math.log(value(name, time)) if value(name, time) > 0 else math.nan for time in times]
        out[f"{name}_change_24"] = [change(name, time, 24) for time in times]
    for hours in (8, 24, 168):
        intervals = max(1, hours * HOUR_MS // length)
        out[f"premium_{hours}h"] = [mean(lambda time: value("premium", time), time, intervals) for time in times]
    return out


@pytest.mark.parametrize("features", SETS)
def test_a_column_is_what_a_loop_over_the_clock_gives(candles, statistics, features):
    wanted = expected(candles, statistics)
    X = build(candles, features, Context(statistics=statistics)).astype(np.float64)
    for name, got in zip(feature_names(features), X.T, strict=True):
        values = np.array(wanted[name])
        np.testing.assert_array_equal(np.isnan(got), np.isnan(values), err_msg=f"{name}: where it is known")
        np.testing.assert_allclose(got, values, rtol=2e-6, atol=2e-7, err_msg=name)
        assert np.isnan(values).any()
        assert len(np.unique(values[np.isfinite(values)])) > 50


def test_the_loop_knows_every_column(candles, statistics):
    assert set(expected(candles, statistics)) == {column.name for group in SETS for column in GROUPS[group]}


@pytest.mark.parametrize("features", SETS)
def test_a_bar_does_not_read_the_interval_after_it(candles, statistics, features):
    """The row of the bar's own interval is the last one that changes it."""
    before = build(candles, features, Context(statistics=statistics))
    for row in (150, 380):
        time = int(candles.time[row])
        for shift, changes in ((1, False), (0, True)):
            begin = time + shift * timeframe_ms(candles.timeframe)
            other = {
                name: np.where(statistics.time >= begin, 0.77, values) for name, values in statistics.values.items()
            }
            after = build(candles, features, Context(statistics=replace(statistics, **other)))
            same = np.array_equal(before[: row + 1], after[: row + 1], equal_nan=True)
            assert same != changes


@pytest.mark.parametrize("features", SETS)
def test_without_statistics_no_column_is_known(candles, features):
    nothing = MarketStatistics.of(SYMBOL, candles.timeframe, candles.time[:0], {})
    later = made(candles)
    later = replace(later, time=later.time + 10_000 * timeframe_ms(candles.timeframe))
    for context in (Context(), Context(statistics=nothing), Context(statistics=later)):
        X = build(candles, features, context)
        assert np.isnan(X).all()


def test_one_missing_statistic_leaves_the_others(candles, statistics):
    unknown = replace(statistics, premium=np.full(len(statistics), np.nan))
    both = "open_interest+premium"
    X = build(candles, both, Context(statistics=unknown))
    known = dict(zip(feature_names(both), np.isfinite(X).any(axis=0).tolist(), strict=True))
    assert {name for name, any_ in known.items() if not any_} == set(feature_names("premium"))


def test_statistics_of_another_market_or_timeframe_are_refused(candles, statistics):
    with pytest.raises(FeatureError, match=r"statistics of B/USDT:USDT; expected that of A/USDT:USDT"):
        build(candles, "taker", Context(statistics=replace(statistics, symbol="B/USDT:USDT")))
    with pytest.raises(FeatureError, match=r"statistics in 5m; expected"):
        build(candles, "taker", Context(statistics=replace(statistics, timeframe="5m")))
    with pytest.raises(FeatureError, match=r"no context"):
        build(candles, "taker")


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_no_column_depends_on_the_unit(candles, statistics, factor):
    """Base units of another size, as of a coin in lots of 1000: volumes and open interest are all counted in it."""
    scaled = replace(
        statistics,
        open_interest=factor * statistics.open_interest,
        open_interest_usd=factor * statistics.open_interest_usd,
        taker_buy_volume=factor * statistics.taker_buy_volume,
        taker_sell_volume=factor * statistics.taker_sell_volume,
    )
    other = replace(candles, volume=factor * candles.volume)
    for features in SETS:
        np.testing.assert_allclose(
            build(other, features, Context(statistics=scaled)),
            build(candles, features, Context(statistics=statistics)),
            rtol=1e-5,
            atol=1e-6,
        )
