"""Live feed: fresh, late, stale and revised bars; clock differences; an exchange that is down for a while."""

import json
import threading
import time

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import UnknownSymbolError
from quorate.core.settings import FeedSettings
from quorate.core.types import CANDLE_COLUMNS
from quorate.market.exchange import LiveFeed
from quorate.market.feed import Feed, Freshness
from stubs.binance import Fault

from .conftest import END, START, A, B, C

BAR = END - 100 * HOUR_MS


def kinds(report):
    return sorted({notice.kind for notice in report.notices})


@pytest.fixture
def feed(connect, stub):
    """Build a feed of all three markets; the exchange's clock is stopped one minute after the close of BAR."""
    stub.clock.set(BAR + HOUR_MS + 60_000)

    def make(clock=None, **settings):
        quick = {"settle_s": 0.0, "poll_s": 0.02, "patience_s": 0.15, "window_bars": 50, "attempts": 1}
        exchange = connect(clock, attempts=2)
        return LiveFeed(exchange, [C, A, B], "1h", FeedSettings(**{**quick, **settings}))

    return make


def at_close(stub, bar):
    """Set the exchange's clock to just after the close of a bar."""
    stub.clock.set(bar + HOUR_MS)


def test_it_is_a_feed(feed):
    live = feed()
    assert isinstance(live, Feed)
    assert (live.timeframe, live.symbols) == ("1h", (A, B, C))
    with pytest.raises(UnknownSymbolError):
        LiveFeed(live.exchange, ["SYNX/USDT:USDT"], "1h")


def test_bars_arrive_as_the_market_makes_them(feed, stub, truth):
    live = feed()
    assert live.begin() == BAR
    for bar in (BAR, BAR + HOUR_MS, BAR + 2 * HOUR_MS):
        at_close(stub, bar)
        report = live.wait(bar)
        assert (report.time, report.down, report.may_enter, report.notices) == (bar, False, True, ())
        assert abs(report.skew_ms) < 200
        assert set(report.status.values()) == {Freshness.FRESH}
        for symbol in (A, B, C):
            known = truth.candles(symbol, end=bar + 1).tail(50)
            got = report.candles[symbol]
            assert all(np.array_equal(getattr(got, name), getattr(known, name)) for name in ("time", *CANDLE_COLUMNS))
        opens = live.opens(bar + HOUR_MS)
        assert opens == {symbol: float(truth.candles(symbol, start=bar + HOUR_MS).open[0]) for symbol in (A, B, C)}


def test_only_the_tail_is_asked_for(feed, stub):
    live = feed()
    live.wait(BAR)
    stub.queries.clear()
    at_close(stub, BAR + HOUR_MS)
    live.wait(BAR + HOUR_MS)
    asked = [query for endpoint, query in stub.queries if endpoint == "klines"]
    assert len(asked) == 3
    assert {int(query["startTime"]) for query in asked} == {BAR - HOUR_MS}
    assert all(int(query["limit"]) < 100 for query in asked)


def test_it_waits_for_the_close(feed, stub):
    live = feed()
    live.wait(BAR)
    stub.clock.set(BAR + 2 * HOUR_MS - 150)
    stub.clock.speed = 1.0
    stub.clock.set(BAR + 2 * HOUR_MS - 150)
    began = time.monotonic()
    report = live.wait(BAR + HOUR_MS)
    assert 0.1 < time.monotonic() - began < 2
    assert set(report.status.values()) == {Freshness.FRESH}


def test_a_bar_that_comes_late_is_waited_for(feed, stub):
    live = feed(patience_s=5)
    live.wait(BAR)
    at_close(stub, BAR + HOUR_MS)
    stub.faults.add(Fault("missing", path="klines", symbol="SYNBUSDT", since=BAR + HOUR_MS, times=3))
    report = live.wait(BAR + HOUR_MS)
    assert set(report.status.values()) == {Freshness.FRESH}
    assert stub.requests["klines"] == 6 + 3


def test_a_bar_that_does_not_come_is_late_then_stale_then_back(feed, stub):
    live = feed()
    live.wait(BAR)
    fault = stub.faults.add(Fault("missing", path="klines", symbol="SYNBUSDT", since=BAR + HOUR_MS, times=0))
    seen = []
    for number in (1, 2, 3):
        at_close(stub, BAR + number * HOUR_MS)
        report = live.wait(BAR + number * HOUR_MS)
        assert B not in report.candles
        assert report.status[A] is report.status[C] is Freshness.FRESH
        seen.append((report.status[B], kinds(report)))
    assert seen == [(Freshness.LATE, ["late"]), (Freshness.STALE, ["stale"]), (Freshness.STALE, [])]
    stub.faults.clear()
    assert fault.times == 0
    at_close(stub, BAR + 4 * HOUR_MS)
    report = live.wait(BAR + 4 * HOUR_MS)
    assert report.status[B] is Freshness.FRESH
    assert kinds(report) == ["fresh"]
    # The missed bars came with it.
    assert len(report.candles[B].between(BAR + HOUR_MS)) == 4


def test_a_bar_that_the_exchange_skipped_is_not_waited_for(feed, stub):
    """The next bar has opened and this one is missing: it remains a gap."""
    live = feed(patience_s=30)
    live.wait(BAR)
    at_close(stub, BAR + HOUR_MS)
    stub.clock.advance(1000)
    rows = [BAR, BAR + 2 * HOUR_MS]
    body = json.dumps([[at, "1", "1", "1", "1", "1", at + HOUR_MS - 1] for at in rows])
    stub.faults.add(Fault("body", path="klines", symbol="SYNCUSDT", body=body, times=0))
    began = time.monotonic()
    report = live.wait(BAR + HOUR_MS)
    assert time.monotonic() - began < 5
    assert report.status[C] is Freshness.LATE


def test_a_revised_candle_replaces_the_old_one_and_is_told(feed, stub, truth):
    live = feed()
    live.wait(BAR)
    at_close(stub, BAR + HOUR_MS)
    stub.faults.add(Fault("revised", path="klines", symbol="SYNAUSDT", since=BAR, factor=1.5))
    report = live.wait(BAR + HOUR_MS)
    assert [(notice.kind, notice.symbol) for notice in report.notices] == [("revised", A)]
    row = int(np.searchsorted(report.candles[A].time, BAR))
    assert report.candles[A].close[row] == float(truth.candles(A, start=BAR).close[0]) * 1.5


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault("body", path="klines", symbol="SYNBUSDT", body="[[null,1,1,1,1,1]]", times=0), Freshness.FAULTY),
        (Fault("truncated", path="klines", symbol="SYNBUSDT", times=0), Freshness.FAULTY),
        (Fault("status", path="klines", symbol="SYNBUSDT", code=503, times=0), Freshness.LATE),
    ],
    ids=lambda value: getattr(value, "kind", value),
)
def test_one_markets_trouble_is_its_own(feed, stub, fault, status):
    live = feed()
    live.wait(BAR)
    stub.faults.add(fault)
    at_close(stub, BAR + HOUR_MS)
    report = live.wait(BAR + HOUR_MS)
    assert report.status == {A: Freshness.FRESH, B: status, C: Freshness.FRESH}
    assert not report.down
    assert set(report.candles) == {A, C}


def test_a_delisted_market_is_gone(feed, stub):
    live = feed()
    live.wait(BAR)
    stub.answers.delisted.add("SYNCUSDT")
    at_close(stub, BAR + HOUR_MS)
    report = live.wait(BAR + HOUR_MS)
    assert report.status[C] is Freshness.GONE
    assert kinds(report) == ["gone"]


def test_an_exchange_that_is_down_for_ten_bars_and_comes_back(feed, stub, truth):
    live = feed()
    live.wait(BAR)
    stub.stop()
    told = []
    for number in range(1, 11):
        at_close(stub, BAR + number * HOUR_MS)
        report = live.wait(BAR + number * HOUR_MS)
        assert (report.down, report.may_enter, report.skew_ms, dict(report.candles)) == (True, False, None, {})
        assert live.opens(BAR + (number + 1) * HOUR_MS) == {}
        told += kinds(report)
    assert told == ["down", "skew"]
    stub.start()
    # What was missed is there bar by bar, and is asked for once.
    for number in range(1, 11):
        report = live.wait(BAR + number * HOUR_MS)
        assert (report.down, report.may_enter) == (False, True)
        assert kinds(report) == (["skew", "up"] if number == 1 else [])
        for symbol in (A, B, C):
            assert (
                report.candles[symbol].close.tolist()
                == truth.candles(symbol, end=BAR + number * HOUR_MS + 1).tail(50).close.tolist()
            )


@pytest.mark.parametrize(
    ("skew_ms", "kind", "may_enter"), [(1_500, [], True), (-3_000, ["skew"], True), (11_000, ["skew"], False)]
)
def test_clocks_that_are_apart(feed, stub, skew_ms, kind, may_enter):
    live = feed()
    stub.clock.skew_ms = skew_ms
    stub.clock.advance(20_000)
    report = live.wait(BAR)
    assert report.skew_ms == pytest.approx(skew_ms, abs=300)
    assert (kinds(report), report.may_enter) == (kind, may_enter)
    stub.clock.skew_ms = 0
    at_close(stub, BAR + HOUR_MS)
    report = live.wait(BAR + HOUR_MS)
    assert (kinds(report), report.may_enter) == (kind, True)


def test_an_exchange_whose_clock_stands_still_is_not_waited_for(feed, stub):
    """The exchange is an hour behind for longer than `patience_s`: no bar is closed by both clocks, no entries."""
    live = feed()
    live.wait(BAR)
    at_close(stub, BAR + HOUR_MS)
    stub.clock.skew_ms = -HOUR_MS
    live.exchange.connection.run(live.exchange.read_skew())
    stub.clock.speed = 1.0
    at_close(stub, BAR + HOUR_MS)
    report = live.wait(BAR + HOUR_MS)
    assert (report.may_enter, dict(report.candles), report.down) == (False, {}, False)
    assert set(report.status.values()) == {Freshness.LATE}


def test_age_is_by_the_exchanges_clock(feed, stub):
    live = feed(clock=lambda: stub.clock() - 5_000)
    live.begin()
    assert live.age_ms(BAR + HOUR_MS) == pytest.approx(60_000, abs=500)


def test_marks_and_settlements_of_a_span(feed, stub, truth):
    live = feed()
    marks = live.marks(BAR - 5 * HOUR_MS, BAR + HOUR_MS)
    assert {symbol: len(candles) for symbol, candles in marks.items()} == {A: 6}
    assert marks[A].close.tolist() == truth.candles(A, start=BAR - 5 * HOUR_MS, end=BAR + 1).close.tolist()
    assert live.marks(BAR, BAR + HOUR_MS, [B]) == {}
    known = truth.funding(B)
    found = live.funding(START, BAR, [B])
    assert list(found) == [B]
    assert found[B].rate.tolist() == known.rate[known.time < BAR].tolist()
    stub.faults.add(Fault("status", path="fundingRate", code=500, times=0))
    assert live.funding(START, BAR) == {}


def test_an_exchange_that_hangs_is_down_in_time(feed, stub):
    live = feed(longest_s=0.3)
    live.wait(BAR)
    stub.faults.add(Fault("hang", seconds=3, times=0))
    at_close(stub, BAR + HOUR_MS)
    began = time.monotonic()
    report = live.wait(BAR + HOUR_MS)
    assert time.monotonic() - began < 2
    assert (report.down, report.may_enter) == (True, False)
    stub.faults.clear()
    assert set(live.wait(BAR + HOUR_MS).status.values()) == {Freshness.FRESH}


def test_stop_ends_a_question_that_hangs(feed, stub):
    live = feed()
    live.wait(BAR)
    stub.faults.add(Fault("hang", seconds=3, times=0))
    at_close(stub, BAR + HOUR_MS)
    threading.Timer(0.1, live.stop).start()
    began = time.monotonic()
    assert live.wait(BAR + HOUR_MS) is None
    assert time.monotonic() - began < 1.5


def test_stop_ends_a_wait(feed, stub):
    live = feed()
    live.wait(BAR)
    threading.Timer(0.1, live.stop).start()
    began = time.monotonic()
    assert live.wait(BAR + HOUR_MS) is None
    assert time.monotonic() - began < 2
    assert live.wait(BAR) is None
