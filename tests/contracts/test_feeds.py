"""The contract of feeds of closed bars: live through ccxt, and a replay of the same candles."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.settings import ExchangeSettings, FeedSettings
from quorate.core.types import CANDLE_COLUMNS, Candles
from quorate.market import FreqtradeFolder, SyntheticMarket, write_candles
from quorate.market.exchange import Exchange, LiveFeed
from quorate.market.feed import Feed, Freshness
from quorate.trading.paper.replay_feed import ReplayFeed
from stubs.binance import BinanceStub

START = parse_ms("2024-01-01")
BARS = 80
KEPT = 30
FIRST = START + 40 * HOUR_MS
LAST = START + (BARS - 2) * HOUR_MS
SYMBOLS = ("SYNA/USDT:USDT", "SYNB/USDT:USDT")

#: A feed, and a function that sets the time of its clock.
Timed = tuple[Feed, Callable[[int], None]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Two perpetuals with funding settlements, and mark prices that differ from their last prices."""
    folder = tmp_path_factory.mktemp("served")
    market = SyntheticMarket(seed=21, symbols=2, bars=BARS, start=START)
    market.write(folder)
    for name, candles in market.panel().items():
        columns = {column: getattr(candles, column) * 1.001 for column in CANDLE_COLUMNS}
        write_candles(folder, Candles(name, "1h", candles.time, **columns, synthetic=True), mark=True)
    return folder


def replay(folder: Path, stack: ExitStack) -> Timed:
    stored = FreqtradeFolder(folder)
    panel = {name: stored.candles(name, "1h") for name in SYMBOLS}
    marks = {name: stored.mark(name, "1h") for name in SYMBOLS}
    funding = {name: stored.funding(name) for name in SYMBOLS}
    return ReplayFeed(panel, FIRST, funding=funding, marks=marks, kept=KEPT), lambda _: None


def live(folder: Path, stack: ExitStack) -> Timed:
    stub = stack.enter_context(BinanceStub(folder, now=FIRST + HOUR_MS))
    exchange = stack.enter_context(Exchange(ExchangeSettings(url=stub.url, paced=False), clock=stub.clock))
    quick = FeedSettings(window_bars=KEPT, settle_s=0, poll_s=0.02, patience_s=0.2)
    return LiveFeed(exchange, SYMBOLS, "1h", quick), stub.clock.set


FEEDS = {"replay": replay, "live": live}


@pytest.fixture(params=FEEDS, ids=str)
def timed(request, folder) -> Iterator[Timed]:
    with ExitStack() as stack:
        yield FEEDS[request.param](folder, stack)


def test_a_feed_has_its_markets(timed):
    feed, _ = timed
    assert isinstance(feed, Feed)
    assert (feed.timeframe, feed.symbols, feed.begin()) == ("1h", SYMBOLS, FIRST)


def test_every_report_ends_with_its_bar(timed, folder):
    feed, at = timed
    stored = FreqtradeFolder(folder)
    for bar in range(FIRST, LAST, HOUR_MS):
        at(bar + HOUR_MS)
        report = feed.wait(bar)
        assert (report.time, report.down, report.may_enter, report.notices) == (bar, False, True, ())
        assert report.status == dict.fromkeys(SYMBOLS, Freshness.FRESH)
        for symbol in SYMBOLS:
            known, got = stored.candles(symbol, "1h", end=bar + 1).tail(KEPT), report.candles[symbol]
            assert all(np.array_equal(getattr(got, name), getattr(known, name)) for name in ("time", *CANDLE_COLUMNS))


def test_the_open_of_the_running_bar_is_known(timed, folder):
    feed, at = timed
    at(FIRST + HOUR_MS)
    feed.wait(FIRST)
    stored = FreqtradeFolder(folder)
    time = FIRST + HOUR_MS
    expected = {symbol: float(stored.candles(symbol, "1h", time).open[0]) for symbol in SYMBOLS}
    assert feed.opens(time) == expected
    assert feed.opens(START + 1000 * HOUR_MS) == {}


def test_marks_end_with_the_open_of_the_running_bar(timed, folder):
    feed, at = timed
    at(FIRST + HOUR_MS)
    feed.wait(FIRST)
    stored = FreqtradeFolder(folder)
    found = feed.marks(FIRST - 2 * HOUR_MS, FIRST + 2 * HOUR_MS, SYMBOLS[:1])
    assert list(found) == [SYMBOLS[0]]
    got, known = found[SYMBOLS[0]], stored.mark(SYMBOLS[0], "1h", FIRST - 2 * HOUR_MS, FIRST + 2 * HOUR_MS)
    assert got.time.tolist() == known.time.tolist()
    assert got.open.tolist() == known.open.tolist()
    # Closed bars are complete.
    assert (got.high[:-1].tolist(), got.low[:-1].tolist()) == (known.high[:-1].tolist(), known.low[:-1].tolist())


def test_funding_settlements_of_a_span(timed, folder):
    feed, at = timed
    at(FIRST + HOUR_MS)
    feed.wait(FIRST)
    stored = FreqtradeFolder(folder)
    found = feed.funding(START, FIRST + 1)
    for symbol in SYMBOLS:
        known = stored.funding(symbol, START, FIRST + 1)
        assert len(known)
        assert (found[symbol].time.tolist(), found[symbol].rate.tolist()) == (known.time.tolist(), known.rate.tolist())
    assert all(not len(known) for known in feed.funding(START + HOUR_MS, START + 2 * HOUR_MS).values())


def test_bars_may_be_skipped_and_requested_again(timed):
    feed, at = timed
    at(FIRST + 10 * HOUR_MS)
    for bar in (FIRST, FIRST + 3 * HOUR_MS, FIRST + 3 * HOUR_MS, FIRST + 9 * HOUR_MS):
        report = feed.wait(bar)
        assert {int(candles.time[-1]) for candles in report.candles.values()} == {bar}
        assert {len(candles) for candles in report.candles.values()} == {KEPT}


def test_a_stopped_feed_has_no_bars(timed):
    feed, at = timed
    at(FIRST + HOUR_MS)
    assert feed.wait(FIRST) is not None
    feed.stop()
    assert feed.wait(FIRST + HOUR_MS) is None
