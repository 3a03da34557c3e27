"""Invalid pages: no invalid row is stored, and nothing but a QuorateError is raised."""

import json
import math
import shutil

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from quorate.core.clock import HOUR_MS
from quorate.core.errors import QuorateError
from quorate.core.settings import FeedSettings
from quorate.core.types import CANDLE_COLUMNS, Candles
from quorate.market import FreqtradeFolder, check_folder
from quorate.market.exchange import LiveFeed, download
from stubs.binance import Fault

from .conftest import END, A

BARS = 6
FIRST = END - BARS * HOUR_MS

numbers = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.integers(-(10**30), 10**30),
    st.sampled_from(["", "NaN", "1e999", "-1", "0", "1.5", "abc", None, True, [], {}, "0x10", "1" * 400]),
)
times = st.one_of(
    st.integers(-3, BARS + 30).map(lambda bar: FIRST + bar * HOUR_MS),
    st.integers(FIRST - HOUR_MS, END + HOUR_MS),
    st.sampled_from([0, -1, 10**40, None, "x", 1.5, str(FIRST), FIRST * 1000]),
)
prices = st.floats(0.5, 200).map(lambda value: repr(round(value, 3)))
sound = st.tuples(times, st.just("100"), st.just("101"), st.just("99"), prices, st.just("5")).map(list)
rows = st.one_of(
    sound,
    st.tuples(times, *[st.one_of(prices, numbers)] * 5).map(list),
    st.lists(st.one_of(times, numbers), max_size=12),
    numbers,
)
pages = st.one_of(
    st.lists(sound, max_size=9).map(lambda page: [*page, *page[:2]]),
    st.lists(rows, max_size=9),
    st.recursive(numbers, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner)),
)


@st.composite
def nearly_sound(draw) -> str:
    """A page as the exchange sends it, with a few things changed: cells, times, order, rows twice or not at all."""
    page = [
        [FIRST + bar * HOUR_MS, "100", "102", "99", draw(st.sampled_from(["100", "101", "99.5"])), str(bar), 0]
        for bar in range(BARS + 1)
    ]
    for _ in range(draw(st.integers(0, 3))):
        row = draw(st.integers(0, len(page) - 1))
        change = draw(st.sampled_from(["cell", "time", "twice", "gone", "swap"]))
        if change == "cell":
            page[row] = [*page[row]]
            page[row][draw(st.integers(1, 5))] = draw(st.one_of(prices, numbers))
        elif change == "time":
            page[row] = [draw(times), *page[row][1:]]
        elif change == "twice":
            page.insert(draw(st.integers(0, len(page))), page[row])
        elif change == "gone" and len(page) > 1:
            page.pop(row)
        elif change == "swap":
            page[0], page[row] = page[row], page[0]
    return json.dumps(page)


clocks = st.one_of(numbers, st.just(END)).map(lambda value: json.dumps({"serverTime": value}))
bodies = st.one_of(
    nearly_sound(),
    nearly_sound(),
    pages.map(json.dumps),
    clocks,
    st.text(max_size=40),
    st.sampled_from(["[" * 3000, "", "null", "{", '[[1,"']),
)


def believable(candles: Candles) -> bool:
    """The quality rules, in their simplest form."""
    values = [getattr(candles, name) for name in CANDLE_COLUMNS]
    return bool(
        np.isfinite(values).all()
        and (candles.low > 0).all()
        and (candles.low <= np.minimum(candles.open, candles.close)).all()
        and (candles.high >= np.maximum(candles.open, candles.close)).all()
        and (candles.volume >= 0).all()
        and (np.diff(candles.time) > 0).all()
        and (candles.time % HOUR_MS == 0).all()
        and (candles.time + HOUR_MS <= END + HOUR_MS // 2).all()
    )


@pytest.fixture
def hostile(connect):
    return connect(attempts=1, pause_s=0.0)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(bodies, min_size=1, max_size=2))
@example([json.dumps([[FIRST, 1, 2, 0.5, math.nan, 1]])])
@example([json.dumps([[END + 9 * HOUR_MS, "1", "1", "1", "1", "1"]])])
@example(["[" * 100_000])
def test_downloads(hostile, stub, tmp_path, bodies):
    stub.faults.clear()
    for body in bodies:
        stub.faults.add(Fault("body", path="klines", body=body))
    folder = tmp_path / "data"
    shutil.rmtree(folder, ignore_errors=True)
    results = download(hostile, folder, [A], "1h", FIRST)
    assert len(results) == 3
    if folder.exists() and (path := FreqtradeFolder(folder).path_of(A, "1h", "futures")) is not None:
        stored = FreqtradeFolder(folder, clock=stub.clock).candles(A, "1h")
        assert believable(stored)
        assert stored.time[0] >= FIRST
        assert path.stat().st_size
        assert all(report.ok for report in check_folder(folder, now=stub.clock()))


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies)
def test_settlements(hostile, stub, body):
    stub.faults.clear()
    stub.faults.add(Fault("body", path="fundingRate", body=body))
    try:
        funding = hostile.funding(A, FIRST)
    except QuorateError:
        return
    assert (np.abs(funding.rate) <= 1).all()
    assert (np.diff(funding.time) > 0).all()
    assert (funding.time <= stub.clock()).all()


def follow(exchange, stub, bodies, path):
    """One bar of a live feed that receives these responses."""
    stub.faults.clear()
    for body in bodies:
        stub.faults.add(Fault("body", path=path, body=body))
    quick = FeedSettings(settle_s=0, poll_s=0.01, patience_s=0, window_bars=5, attempts=1)
    live = LiveFeed(exchange, [A], "1h", quick)
    report = live.wait(END - HOUR_MS)
    assert set(report.status) == {A}
    assert all(believable(candles) for candles in report.candles.values())
    assert all(int(candles.time[-1]) == END - HOUR_MS for candles in report.candles.values())
    assert all(math.isfinite(price) and price > 0 for price in live.opens(END).values())


answers = given(st.lists(bodies, min_size=1, max_size=3), st.sampled_from(["klines", "time", ""]))


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@answers
def test_live(hostile, stub, bodies, path):
    follow(hostile, stub, bodies, path)


@pytest.mark.slow
@settings(max_examples=10_000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@answers
def test_live_at_length(hostile, stub, bodies, path):
    follow(hostile, stub, bodies, path)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies)
def test_markets(connect, stub, body):
    stub.faults.clear()
    stub.faults.add(Fault("body", path="exchangeInfo", body=body))
    exchange = connect(attempts=1)
    try:
        assert isinstance(exchange.symbols("1h"), tuple)
    except QuorateError:
        pass
    finally:
        exchange.close()
