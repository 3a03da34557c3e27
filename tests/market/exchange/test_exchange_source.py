"""Candles, mark prices and settlements through the real ccxt: pages, clocks, and errors of an exchange."""

import numpy as np
import pytest

from quorate.core.clock import DAY_MS, HOUR_MS, now_ms
from quorate.core.errors import (
    CandleError,
    ExchangeAnswerError,
    ExchangeDownError,
    ExchangeRefusedError,
    UnknownExchangeError,
    UnknownSymbolError,
)
from quorate.core.settings import ExchangeSettings
from quorate.core.types import CANDLE_COLUMNS
from quorate.market.exchange import Exchange
from stubs.binance import Fault

from .conftest import BARS, END, START, A


def same(left, right):
    return all(np.array_equal(getattr(left, name), getattr(right, name)) for name in ("time", *CANDLE_COLUMNS))


def test_pages_make_the_whole_history(exchange, stub, truth):
    candles = exchange.candles(A, "1h")
    assert same(candles, truth.candles(A))
    assert not candles.synthetic
    # 1,200 bars in pages of 499, the listing known: three requests and no more.
    assert stub.requests["klines"] == 3


@pytest.mark.parametrize("rows", [2, 7, 100, 1000])
def test_any_page_gives_the_same(connect, truth, rows):
    start, end = END - 20 * HOUR_MS, END - 3 * HOUR_MS
    assert same(connect(page_rows=rows).candles(A, "1h", start, end), truth.candles(A, start=start, end=end))


def test_settlements_are_those_of_the_market(exchange, truth):
    found, known = exchange.funding(A), truth.funding(A)
    # The exchange stamps them some milliseconds late; they are cut to the minute.
    assert found.time.tolist() == known.time.tolist()
    assert found.rate.tolist() == known.rate.tolist()
    part = exchange.funding(A, START + DAY_MS, START + 2 * DAY_MS)
    assert part.time.tolist() == [START + DAY_MS + hours * HOUR_MS for hours in (0, 8, 16)]


def test_marks_are_perpetuals_only(exchange, truth):
    mark = exchange.mark(A, "1h", END - DAY_MS)
    assert mark.close.tolist() == truth.candles(A, start=END - DAY_MS).close.tolist()
    assert not mark.volume.any()


def test_spot_is_another_exchange(connect, truth):
    spot = connect(name="binance")
    assert spot.symbols("1h", perpetual=False) == ("SYNA/USDT",)
    assert same(spot.candles("SYNA/USDT", "1h"), truth.candles(A))
    assert spot.mark("SYNA/USDT", "1h") is None
    assert spot.funding("SYNA/USDT") is None


def test_longer_bars_are_the_exchanges_own(exchange, truth):
    days, hours = exchange.candles(A, "1d"), truth.candles(A)
    assert len(days) == BARS // 24
    assert days.high.tolist() == hours.high.reshape(-1, 24).max(axis=1).tolist()


@pytest.mark.parametrize("ahead", [-5_000, 5_000, 3 * HOUR_MS, -3 * HOUR_MS])
def test_a_bar_is_closed_when_it_is_so_by_both_clocks(connect, stub, ahead):
    """One second before the exchange closes a bar; this machine is behind or ahead of it."""
    stub.clock.set(END - 1_000)
    exchange = connect(clock=lambda: stub.clock() + ahead)
    newest = int(exchange.candles(A, "1h").time[-1])
    assert newest == END - 2 * HOUR_MS - (3 * HOUR_MS if ahead == -3 * HOUR_MS else 0)


def test_the_exchanges_wrong_clock_closes_no_bar_early(connect, stub):
    stub.clock.set(END - 60_000)
    stub.clock.skew_ms = 120_000
    assert int(connect().candles(A, "1h").time[-1]) == END - 2 * HOUR_MS
    stub.clock.skew_ms = 0
    stub.clock.set(END + 1)
    assert int(connect().candles(A, "1h").time[-1]) == END - HOUR_MS


def test_the_skew_is_the_exchanges_clock_minus_ours(connect, stub):
    exchange = connect(clock=lambda: stub.clock() - 4_000)
    assert exchange.skew_ms is None
    present = exchange.present()
    assert exchange.skew_ms == pytest.approx(4_000, abs=500)
    assert present.late - present.early == abs(exchange.skew_ms)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("half_page", path="klines"),
        Fault("duplicates", path="klines", times=0),
        Fault("reordered", path="klines", times=0),
        Fault("empty", path="klines"),
        Fault("truncated", path="klines"),
        Fault("future", path="klines", after=2),
        Fault("status", path="klines", code=503, times=2),
        Fault("status", path="klines", code=500),
        Fault("status", path="klines", code=429, retry_after=0.05),
        Fault("status", path="klines", code=418, retry_after=0.05),
        Fault("reset", path="klines", times=2),
        Fault("body", path="klines", body="<html>busy</html>"),
        Fault("body", path="klines", body="[null]"),
        Fault("body", path="klines", body="{}"),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.code if fault.kind == 'status' else fault.body[:4]}",
)
def test_faults_that_pass_leave_the_same_candles(exchange, stub, truth, fault):
    stub.faults.add(fault)
    assert same(exchange.candles(A, "1h"), truth.candles(A))


def test_a_hanging_request_is_given_up_and_asked_again(connect, stub, truth):
    stub.faults.add(Fault("hang", path="klines", seconds=5))
    exchange = connect(timeout_s=0.2)
    assert same(exchange.candles(A, "1h"), truth.candles(A))


def test_rows_that_contradict_each_other_are_a_gap(connect, stub, caplog):
    stub.faults.add(Fault("conflicts", path="klines", times=0))
    # Two rows a page: ccxt cuts what is more than it asked for, and a pair stays a pair.
    assert len(connect(page_rows=2).candles(A, "1h", END - 10 * HOUR_MS)) == 0
    assert "contradict" in caplog.text


def test_a_row_of_the_future_is_refused_in_the_end(connect, stub):
    """The bar not closed, stamped two bars ahead: in the future by both clocks."""
    stub.clock.set(END - 1)
    stub.faults.add(Fault("future", path="klines", times=0))
    with pytest.raises(CandleError, match="open times in the past"):
        connect(attempts=2).candles(A, "1h", END - 5 * HOUR_MS)


@pytest.mark.parametrize(
    ("fault", "error", "requests"),
    [
        (Fault("status", path="klines", code=503, times=0), ExchangeDownError, 3),
        # A connection that is cut is opened once more by the HTTP library itself.
        (Fault("reset", path="klines", times=0), ExchangeDownError, 6),
        (Fault("truncated", path="klines", times=0), ExchangeAnswerError, 3),
        (Fault("body", path="klines", body='[[null,"1"]]', times=0), ExchangeAnswerError, 3),
        (Fault("status", path="klines", code=404, times=0), ExchangeRefusedError, 1),
        (Fault("status", path="klines", code=451, times=0), ExchangeRefusedError, 1),
    ],
    ids=lambda value: value.kind + str(value.code) if isinstance(value, Fault) else str(value)[-30:],
)
def test_what_does_not_pass_ends_after_the_allowed_attempts(connect, stub, fault, error, requests):
    stub.faults.add(fault)
    with pytest.raises(error, match="SYNA/USDT:USDT"):
        connect(attempts=3).candles(A, "1h")
    assert stub.requests["klines"] == requests


def test_nobody_there(connect, stub):
    exchange = connect(attempts=2)
    exchange.present()
    stub.stop()
    with pytest.raises(ExchangeDownError, match="no response in 2 attempts"):
        exchange.candles(A, "1h")
    stub.start()
    assert len(exchange.candles(A, "1h")) == BARS


def test_a_pause_that_is_too_long_is_not_waited_for(connect, stub):
    exchange = connect(longest_pause_s=5)
    exchange.present()
    stub.faults.add(Fault("status", path="klines", code=418, retry_after=3600))
    with pytest.raises(ExchangeDownError, match="asks for a pause of 3600 s"):
        exchange.candles(A, "1h")
    # Nor is anything else asked meanwhile: that would make the ban longer.
    with pytest.raises(ExchangeDownError, match="asks for a pause"):
        exchange.funding(A)
    assert stub.requests["fundingRate"] == 0


def test_the_exchanges_limit_is_kept_without_a_refusal(connect, stub):
    """Paced requests stay within the weight limit of ccxt, and the stub's limit is never reached."""
    stub.weight = 2400
    exchange = connect(paced=True)
    for _ in range(30):
        exchange.candles(A, "1h", END - 5 * HOUR_MS)
    assert stub.requests["klines"] == 30


def test_unknown_names(connect, exchange):
    with pytest.raises(UnknownExchangeError, match="Did you mean 'binanceusdm'"):
        connect(name="binanceusmd")
    with pytest.raises(UnknownSymbolError, match="Did you mean 'SYNA/USDT:USDT'"):
        exchange.candles("SYNA/USDT", "1h")


def test_a_sandbox_where_there_is_none_is_refused():
    with pytest.raises(ExchangeRefusedError, match="sandbox"):
        Exchange(ExchangeSettings(name="bitstamp", sandbox=True))


def test_the_sandbox_is_another_address():
    with Exchange(ExchangeSettings(sandbox=True)) as exchange:
        assert "testnet" in exchange.connection.client.urls["api"]["fapiPublic"]


def test_another_address_keeps_the_paths():
    with Exchange(ExchangeSettings(url="http://127.0.0.1:9/")) as exchange:
        assert exchange.connection.client.urls["api"]["fapiPublic"] == "http://127.0.0.1:9/fapi/v1"


def test_markets_say_what_a_contract_needs(exchange):
    market = exchange.markets[A]
    assert market["precision"]["price"] > 0
    assert market["precision"]["amount"] > 0
    assert market["limits"]["cost"]["min"] == 5.0
    assert (market["linear"], market["contractSize"]) == (True, 1.0)


def test_tiers_are_told_to_a_key_only(connect, monkeypatch):
    assert connect().tiers([A]) == {}
    monkeypatch.setenv("QUORATE_EXCHANGE_KEY", "k")
    monkeypatch.setenv("QUORATE_EXCHANGE_SECRET", "s")
    tiers = connect().tiers([A])
    assert list(tiers) == [A]
    assert tiers[A][0]["maxLeverage"] == 50.0
    assert tiers[A][-1]["maxNotional"] == 250_000.0


def test_a_delisted_market_keeps_its_history_and_leaves_the_list(connect, stub):
    stub.answers.delisted.add("SYNAUSDT")
    exchange = connect(attempts=3)
    assert A not in exchange.symbols("1h")
    with pytest.raises(ExchangeRefusedError, match="Invalid symbol"):
        exchange.candles(A, "1h")
    assert stub.requests["klines"] == 1


def test_candles_before_the_date_of_listing_are_fetched_too(exchange, stub):
    """The listing date of the market is ten days after its first candle."""
    exchange.markets[A]["created"] = START + 10 * DAY_MS
    assert len(exchange.candles(A, "1h")) == BARS
    assert stub.requests["klines"] == 3


def test_an_exchange_without_candles_says_so():
    with Exchange(ExchangeSettings(name="coinmate", url="http://127.0.0.1:9")) as exchange:
        assert exchange.timeframes == ()
        assert exchange.symbols("1h") == ()


@pytest.mark.parametrize(("local_ms", "skew_ms"), [(-HOUR_MS, HOUR_MS), (HOUR_MS, -HOUR_MS), (300, 0)])
def test_an_exchange_without_a_time_is_judged_by_its_headers(connect, local_ms, skew_ms):
    """The server's Date header is the machine's time."""
    exchange = connect(lambda: now_ms() + local_ms)
    exchange.connection.client.has["fetchTime"] = False
    assert exchange.markets
    exchange.present()
    assert exchange.skew_ms == pytest.approx(skew_ms, abs=1_500)
    exchange.connection.client.answered = ("no date", 0.0)
    assert exchange.connection.run(exchange.read_skew()) == 0
