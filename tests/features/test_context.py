"""Context columns against plain look-ups by bar time, and what happens where context is missing."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from statistics import fmean, stdev

import numpy as np
import pytest

from quorate.core.clock import DAY_MS, HOUR_MS
from quorate.core.errors import FeatureError
from quorate.core.types import Candles, Funding
from quorate.features import (
    Context,
    build,
    contexts,
    cross_section,
    feature_names,
    feature_set,
    market_columns,
)

NAMES = feature_names("extended")[65:]
BARS = 560


def without(candles: Candles, rows) -> Candles:
    keep = np.ones(len(candles), bool)
    keep[list(rows)] = False
    columns = ("time", "open", "high", "low", "close", "volume")
    return Candles(candles.symbol, candles.timeframe, *(getattr(candles, name)[keep] for name in columns))


@pytest.fixture(scope="module")
def panel(make_candles):
    """BTC with a hole, A whole, B listed at bar 300, C delisted at bar 450, E a copy of A's path."""
    found = {
        f"{coin}/USDT:USDT": make_candles(BARS, seed, symbol=f"{coin}/USDT:USDT", quiet=coin == "B")
        for seed, coin in enumerate(("A", "BTC", "B", "C"))
    }
    found["BTC/USDT:USDT"] = without(found["BTC/USDT:USDT"], [420, 421])
    found["B/USDT:USDT"] = found["B/USDT:USDT"][300:]
    found["C/USDT:USDT"] = found["C/USDT:USDT"][:450]
    found["E/USDT:USDT"] = replace(found["A/USDT:USDT"], symbol="E/USDT:USDT")
    return found


@pytest.fixture(scope="module")
def funding(panel):
    """Every 8 hours, each a few milliseconds late, as the exchange books them; A's stop at bar 500."""
    start = int(panel["A/USDT:USDT"].time[0])
    times = start + 8 * HOUR_MS * np.arange(500 // 8) + 3
    return {"A/USDT:USDT": Funding("A/USDT:USDT", times, 0.0001 * np.arange(len(times)))}


def by_time(values, candles):
    return dict(zip(candles.time.tolist(), values, strict=True))


def changes(candles, bars):
    c = candles.close.tolist()
    return by_time([c[i] / c[i - bars] - 1 if i >= bars else None for i in range(len(c))], candles)


def volatilities(candles):
    c = candles.close.tolist()
    r = [None] + [later / earlier - 1 for earlier, later in pairwise(c)]
    return by_time([stdev(r[i - 19 : i + 1]) if i >= 20 else None for i in range(len(c))], candles)


def volume_ratios(candles):
    v = candles.volume.tolist()

    def ratio(i):
        mean = fmean(v[i - 19 : i + 1])
        return v[i] / mean if mean else 0.0

    return by_time([ratio(i) if i >= 19 else None for i in range(len(v))], candles)


COMPARED = {
    "rank_change_4": lambda candles: changes(candles, 4),
    "rank_change_24": lambda candles: changes(candles, 24),
    "rank_volatility_20": volatilities,
    "rank_volume_20": volume_ratios,
}


@pytest.fixture(scope="module")
def expected(panel, funding):
    """Symbol -> column -> list of values, None where unknown."""
    btc = panel["BTC/USDT:USDT"]
    out = {}
    for symbol, candles in panel.items():
        columns = out[symbol] = {}
        known = [] if symbol not in funding else list(zip(funding[symbol].time, funding[symbol].rate, strict=True))

        def settled(moment, count, known=known):
            past = [(time, rate) for time, rate in known if time <= moment]
            if len(past) < count or moment - past[-1][0] > DAY_MS:
                return None
            return fmean(float(rate) for _, rate in past[-count:])

        closes = [int(time) + HOUR_MS for time in candles.time]
        columns["funding_rate"] = [settled(moment, 1) for moment in closes]
        columns["funding_mean_3"] = [settled(moment, 3) for moment in closes]
        times = candles.time.tolist()
        for bars in (1, 4, 24):
            of_btc = changes(btc, bars)
            columns[f"btc_change_{bars}"] = [of_btc.get(t) for t in times]
            everyone = [changes(other, bars) for other in panel.values()]
            present = [[one[t] for one in everyone if one.get(t) is not None] for t in times]
            columns[f"market_change_{bars}"] = [fmean(row) if row else None for row in present]
            if bars == 24:
                columns["market_breadth_24"] = [fmean(x > 0 for x in row) if row else None for row in present]
        of_btc = volatilities(btc)
        columns["btc_volatility_20"] = [of_btc.get(t) for t in times]
        everyone = [volatilities(other) for other in panel.values()]
        present = [[one[t] for one in everyone if one.get(t) is not None] for t in times]
        columns["market_volatility_20"] = [fmean(row) if row else None for row in present]
        for bars in (4, 24, 96):
            own, of_btc = changes(candles, bars), changes(btc, bars)
            columns[f"btc_strength_{bars}"] = [
                None if own[t] is None or of_btc.get(t) is None else (1 + own[t]) / (1 + of_btc[t]) - 1 for t in times
            ]
        for name, of in COMPARED.items():
            own = of(candles)
            rivals = [of(other) for key, other in panel.items() if key != symbol]
            ranks = columns[name] = []
            for t in times:
                there = [rival[t] for rival in rivals if rival.get(t) is not None]
                if own[t] is None or not there:
                    ranks.append(None)
                else:
                    ties = [math.isclose(x, own[t], rel_tol=1e-9, abs_tol=1e-15) for x in there]
                    below = sum(x < own[t] and not tie for x, tie in zip(there, ties, strict=True))
                    ranks.append((below + 0.5 * sum(ties)) / len(there))
    return out


@pytest.mark.parametrize("name", NAMES)
def test_a_context_column_is_what_a_look_up_by_time_gives(panel, funding, expected, name):
    for symbol, context in contexts(panel, funding).items():
        got = build(panel[symbol], "extended", context)[:, feature_names("extended").index(name)].astype(np.float64)
        values = np.array([np.nan if x is None else x for x in expected[symbol][name]])
        np.testing.assert_array_equal(np.isnan(got), np.isnan(values), err_msg=f"{symbol}: where it is known")
        np.testing.assert_allclose(got, values, rtol=2e-6, atol=2e-6, err_msg=symbol)


def test_some_of_each_context_column_is_known_and_some_is_not(expected):
    # Otherwise the test above would prove little.
    for name in NAMES:
        values = [x for columns in expected.values() for x in columns[name]]
        assert None in values, name
        assert len({x for x in values if x is not None}) > 5, name


def test_columns_without_context_are_those_of_full65(panel, funding):
    context = contexts(panel, funding)["A/USDT:USDT"]
    extended = build(panel["A/USDT:USDT"], "extended", context)
    np.testing.assert_array_equal(extended[:, :65], build(panel["A/USDT:USDT"], "full65"))


def test_a_delisted_symbol_counts_while_it_traded(panel):
    # C is delisted at bar 450: without it, bars before change and bars after do not.
    symbol = "A/USDT:USDT"
    market = [feature_names("extended").index(name) for name in NAMES if name.startswith(("market", "rank"))]
    with_c = build(panel[symbol], "extended", contexts(panel)[symbol])[:, market]
    without_c = build(
        panel[symbol], "extended", contexts({key: c for key, c in panel.items() if key != "C/USDT:USDT"})[symbol]
    )[:, market]
    np.testing.assert_array_equal(with_c[450:], without_c[450:])
    assert (with_c[100:450] != without_c[100:450]).any(axis=0).all()


@pytest.mark.parametrize(
    ("part", "gone"),
    [
        ("funding", {"funding_rate", "funding_mean_3"}),
        ("btc", {name for name in NAMES if name.startswith("btc")}),
        ("market", {name for name in NAMES if name.startswith(("market", "rank"))}),
    ],
)
def test_a_missing_part_is_unknown_and_never_zero(panel, funding, part, gone):
    symbol = "A/USDT:USDT"
    full = contexts(panel, funding)[symbol]
    X = build(panel[symbol], "extended", replace(full, **{part: None}))
    for name, values in zip(feature_names("extended")[65:], X[:, 65:].T, strict=True):
        if name in gone:
            assert np.isnan(values).all(), name
        else:
            assert np.isfinite(values).any(), name


def test_no_context_at_all_is_refused(panel):
    with pytest.raises(FeatureError, match=r"extended of A/USDT:USDT.*no context.*Pass context=Context"):
        build(panel["A/USDT:USDT"], "extended")


def test_context_of_something_else_is_refused(panel, funding, make_candles):
    candles = panel["A/USDT:USDT"]
    with pytest.raises(FeatureError, match=r"BTC's columns in 4h; expected 1h"):
        build(candles, "extended", Context(btc=market_columns(make_candles(300, timeframe="4h"))))
    with pytest.raises(FeatureError, match=r"the cross-section in 4h; expected 1h"):
        build(candles, "extended", Context(market=cross_section({"X": make_candles(300, timeframe="4h")})))
    with pytest.raises(FeatureError, match=r"funding of A/USDT:USDT; expected that of C/USDT:USDT"):
        build(panel["C/USDT:USDT"], "extended", Context(funding=funding["A/USDT:USDT"]))
    with pytest.raises(FeatureError, match=r"several|timeframes 1h, 4h"):
        cross_section({"X": make_candles(30), "Y": make_candles(30, timeframe="4h")})
    with pytest.raises(FeatureError, match="0 symbols"):
        cross_section({})


@pytest.mark.parametrize(("late_ms", "known_from"), [(0, 7), (1, 8)])
def test_a_rate_is_known_once_it_is_settled(panel, late_ms, known_from):
    # Bar 7 closes after 8 hours, at the time of the first settlement.
    candles = panel["A/USDT:USDT"]
    settled = candles.time[:1] + 8 * HOUR_MS + late_ms
    X = build(candles, "extended", Context(funding=Funding("A/USDT:USDT", settled, np.array([0.0003]))))
    known = np.flatnonzero(np.isfinite(X[:, 65]))
    assert known[0] == known_from
    # A day after it, the rate is no longer known.
    assert known[-1] == 8 + 24 - 1
    assert (X[known, 65] == np.float32(0.0003)).all()


def test_funding_of_the_perpetual_serves_the_spot_market_of_the_coin(panel, funding):
    spot = replace(panel["A/USDT:USDT"], symbol="A/USDT")
    X = build(spot, "extended", Context(funding=funding["A/USDT:USDT"]))
    assert np.isfinite(X[100, 65])


def test_sets_without_context_columns_ignore_the_context(panel, funding):
    candles = panel["A/USDT:USDT"]
    np.testing.assert_array_equal(
        build(candles, "core14", contexts(panel, funding)["A/USDT:USDT"]), build(candles, "core14")
    )
    assert not feature_set("core14").context


def test_a_symbol_outside_the_universe_is_ranked_in_it(panel, make_candles):
    market = cross_section(panel)
    stranger = make_candles(BARS, 77, symbol="Z/USDT:USDT")
    ranks = build(stranger, "extended", Context(market=market))[:, feature_names("extended").index("rank_change_24")]
    own = changes(stranger, 24)
    rivals = [changes(candles, 24) for candles in panel.values()]
    for row in (30, 200, 320, 500):
        time = int(stranger.time[row])
        there = [rival[time] for rival in rivals if rival.get(time) is not None]
        assert ranks[row] == pytest.approx(fmean(x < own[time] for x in there))
