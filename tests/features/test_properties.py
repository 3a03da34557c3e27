"""What holds of every feature of every set, on markets that hypothesis chooses.

A world is several symbols with their funding: one is looked at, the others are its context.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from quorate.core.clock import HOUR_MS
from quorate.core.errors import CandleError
from quorate.core.types import Candles, Funding
from quorate.features import build, contexts, feature_names, feature_set, feature_sets
from quorate.market.files.freqtrade_folder import FreqtradeFolder

BARS = 640
LIVE = 498  # candles of a live futures frame
JUDGED = 120  # its newest rows, which must be as good as any

few = settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass(frozen=True)
class World:
    panel: dict[str, Candles]
    funding: dict[str, Funding]

    def build(self, features: str, symbol: str = "A/USDT:USDT", **options):
        context = contexts(self.panel, self.funding)[symbol] if feature_set(features).context else None
        return build(self.panel[symbol], features, context, **options)

    def each(self, candles, funding=lambda settlements: settlements) -> World:
        return World(
            {symbol: candles(held) for symbol, held in self.panel.items()},
            {symbol: funding(settlements) for symbol, settlements in self.funding.items()},
        )

    def until(self, time: int) -> World:
        """As it was known when the bar before `time` had closed."""
        return self.each(
            lambda candles: candles.between(end=time),
            lambda f: replace(f, time=f.time[f.time <= time], rate=f.rate[f.time <= time]),
        )


@st.composite
def worlds(draw, gaps: bool = True):
    seed = draw(st.integers(0, 10_000))
    quiet = draw(st.booleans())
    price = draw(st.sampled_from([1e-8, 1.0, 1e5]))
    random = np.random.default_rng(seed)
    panel, funding = {}, {}
    for place, symbol in enumerate(("A/USDT:USDT", "BTC/USDT:USDT", "C/USDT:USDT", "D/USDT:USDT")):
        candles = _MAKE[0](BARS, seed + place, quiet=quiet, price=price, symbol=symbol)
        if gaps and draw(st.booleans()):
            keep = random.random(BARS) > 0.01
            candles = Candles(
                symbol,
                "1h",
                *(getattr(candles, name)[keep] for name in ("time", "open", "high", "low", "close", "volume")),
            )
        panel[symbol] = candles
        times = candles.time[0] + 8 * HOUR_MS * np.arange(BARS // 8 + 1)
        funding[symbol] = Funding(symbol, times, random.normal(0.0001, 0.0002, len(times)))
    panel["D/USDT:USDT"] = panel["D/USDT:USDT"][200:]  # listed later
    return World(panel, funding)


_MAKE = []


@pytest.fixture(autouse=True)
def _make(make_candles):
    _MAKE[:] = [make_candles]


def assert_same(got, expected, features, tolerance=0.0):
    names = feature_names(features)
    got, expected = got.astype(np.float64), expected.astype(np.float64)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
    off = np.abs(got - expected) > tolerance * np.maximum(1, np.abs(expected))
    assert not off.any(), sorted({names[place] for place in np.nonzero(off)[1]})


every_set = pytest.mark.parametrize("features", feature_sets())


@every_set
@few
@given(world=worlds(), cut=st.integers(400, BARS - 20))
def test_a_truncated_history_gives_the_same_last_row(features, world, cut):
    whole = world.build(features)
    time = int(world.panel["A/USDT:USDT"].time[min(cut, len(whole) - 1)])
    truncated = world.until(time).build(features)
    assert_same(truncated, whole[: len(truncated)], features)
    assert np.isfinite(truncated[-1]).any()


@every_set
@few
@given(world=worlds(), cut=st.integers(400, BARS - 20), seed=st.integers(0, 1_000))
def test_a_poisoned_future_changes_nothing(features, world, cut, seed):
    time = int(world.panel["A/USDT:USDT"].time[min(cut, len(world.panel["A/USDT:USDT"]) - 1)])
    random = np.random.default_rng(seed)

    def poison(candles: Candles) -> Candles:
        later = candles.time >= time
        columns = {}
        for name in ("open", "high", "low", "close", "volume"):
            columns[name] = getattr(candles, name).copy()
            columns[name][later] = np.exp(random.uniform(-40, 40, int(later.sum())))
        return replace(candles, **columns)

    def poison_funding(funding: Funding) -> Funding:
        return replace(funding, rate=np.where(funding.time > time, 9.9, funding.rate))

    poisoned = world.each(poison, poison_funding)
    rows = int((world.panel["A/USDT:USDT"].time < time).sum())
    assert_same(poisoned.build(features)[:rows], world.build(features)[:rows], features)
    # The poison does bite where it is known.
    assert (poisoned.build(features)[rows:] != world.build(features)[rows:]).any()


@every_set
@few
@given(world=worlds())
def test_a_live_frame_knows_its_last_rows_as_well_as_the_whole_history_does(features, world):
    whole = world.build(features)[-JUDGED:]
    live = world.each(lambda candles: candles.tail(LIVE)).build(features)[-JUDGED:]
    assert_same(live, whole, features, tolerance=1e-6)
    own = [not column.context for column in feature_set(features).columns]
    assert np.isfinite(whole[:, own]).all()


@every_set
@few
@given(world=worlds(), bars=st.integers(1, 25))
def test_bar_by_bar_is_the_same_as_all_at_once(features, world, bars):
    whole = world.build(features)
    for row in range(len(whole) - bars, len(whole), 6):
        time = int(world.panel["A/USDT:USDT"].time[row]) + HOUR_MS
        newest = world.until(time).build(features, newest=1)
        assert_same(newest, whole[row : row + 1], features)


@every_set
@few
@given(world=worlds())
def test_candles_of_another_symbol_do_not_leak_in(features, world):
    if feature_set(features).context:
        # Only what context columns name may differ.
        own = [place for place, column in enumerate(feature_set(features).columns) if not column.context]
    else:
        own = list(range(len(feature_names(features))))
    before = world.build(features)[:, own]
    for symbol in ("C/USDT:USDT", "D/USDT:USDT"):
        world.build(features, symbol)
    others = dict(world.panel)
    others["C/USDT:USDT"] = replace(others["C/USDT:USDT"], close=others["C/USDT:USDT"].high)
    after = World(others, world.funding).build(features)[:, own]
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
@pytest.mark.parametrize("features", [name for name in feature_sets() if name != "extended"])
def test_any_valid_candles_give_finite_features(features, kind, seed):
    X = build(extreme(kind, 800, seed), features)
    assert np.isfinite(X[feature_set(features).warmup :]).all()


@settings(max_examples=150)
@given(st.data())
def test_whatever_candles_there_are_the_answer_is_finite_or_a_refusal(data):
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
@pytest.mark.parametrize("features", [name for name in feature_sets() if name != "extended"])
def test_on_a_flat_and_silent_market_nothing_moves(features, price):
    close = np.full(600, price)
    flat = Candles("A/USDT:USDT", "1h", HOUR_MS * np.arange(600), close, close, close, close, np.zeros(600))
    X = build(flat, features)[feature_set(features).warmup :]
    for name, values in zip(feature_names(features), X.T, strict=True):
        if not name.startswith(("hour", "day_")):
            # Averages of equal closes may be a rounding error off, and no more. Such a market does range.
            np.testing.assert_allclose(values, float(name == "is_ranging"), atol=1e-12, err_msg=name)


@pytest.mark.data
@pytest.mark.parametrize("timeframe", ["1h", "4h"])
def test_real_candles_have_finite_features_that_a_live_frame_knows_too(timeframe):
    folder = os.environ.get("QUORATE_DATA")
    if folder is None:
        pytest.skip("QUORATE_DATA does not name the folder of real candles")
    source = FreqtradeFolder(Path(folder) / "binance")
    for symbol in source.symbols(timeframe, perpetual=True)[::12]:
        candles = source.candles(symbol, timeframe)
        if len(candles) < LIVE + JUDGED:
            continue
        for features in ("core14", "full65"):
            whole = build(candles, features)
            assert np.isfinite(whole[feature_set(features).warmup :]).all(), symbol
            for end in (len(candles), len(candles) // 2 + LIVE // 2, LIVE + JUDGED):
                live = build(candles[:end].tail(LIVE), features)
                assert_same(live[-JUDGED:], whole[end - JUDGED : end], features, tolerance=1e-6)
