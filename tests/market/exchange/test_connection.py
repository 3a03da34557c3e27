"""Retries of reads: number, pauses, and pauses that all requests keep."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import ExchangeDownError, MissingExtraError
from quorate.core.settings import ExchangeSettings
from quorate.market.exchange.client import load_ccxt
from quorate.market.exchange.connection import _seconds
from stubs.binance import Fault

from .conftest import END, A, B, C


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2", 2.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", 3600.0),
        ("999999999", 3600.0),
        ("1e400", 3600.0),
    ],
)
def test_a_pause_in_seconds(text, seconds):
    assert _seconds(text) == seconds


def test_a_pause_as_a_date():
    assert _seconds(format_datetime(datetime.now(UTC) + timedelta(seconds=90))) == pytest.approx(90, abs=2)
    assert _seconds("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert _seconds("Fri, 31 Dec 9999 23:59:59 GMT") == 3600.0
    assert _seconds("Fri, 31 Dec 99999 23:59:59 GMT") is None


@pytest.mark.parametrize("header", ["0", "-5", "nan", "soon", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_pause_of_nothing_is_the_usual_one(connect, stub, header):
    """Four attempts at a server that refuses them all and names no pause: three pauses, not three requests at once."""
    exchange = connect(attempts=4, pause_s=0.1)
    exchange.present()
    assert A in exchange.markets
    stub.faults.add(Fault("status", path="klines", code=429, retry_after=header, times=0))
    began = time.monotonic()
    with pytest.raises(ExchangeDownError):
        exchange.candles(A, "1h", END - 5 * HOUR_MS)
    assert time.monotonic() - began > 0.3


def test_a_pause_of_years_is_an_hour(connect, stub):
    exchange = connect(longest_pause_s=5.0)
    exchange.present()
    stub.faults.add(Fault("status", path="klines", code=429, retry_after=10**9))
    with pytest.raises(ExchangeDownError, match="asks for a pause of 3600 s"):
        exchange.candles(A, "1h", END - 5 * HOUR_MS)


def test_pauses_double_and_are_never_alike(connect, stub, monkeypatch):
    """Five attempts of two clients: four pauses each, from half to one and a half times what is doubled."""
    stub.faults.add(Fault("status", path="klines", code=500, times=0))
    pauses = []
    sleep = asyncio.sleep

    async def noted(seconds, *rest):
        if seconds > 0:
            pauses.append(seconds)
        await sleep(0, *rest)

    for _ in range(2):
        exchange = connect(attempts=5, pause_s=8.0, longest_pause_s=30.0)
        exchange.present()
        assert A in exchange.markets
        with monkeypatch.context() as patch:
            patch.setattr(asyncio, "sleep", noted)
            with pytest.raises(ExchangeDownError, match="in 5 attempts"):
                exchange.candles(A, "1h", END - 5 * HOUR_MS)
    assert len(pauses) == 8
    for pause, doubled in zip(pauses, [8, 16, 30, 30] * 2, strict=True):
        assert 0.5 * doubled <= pause <= 1.5 * doubled
    assert len(set(pauses)) == 8


@pytest.mark.parametrize("code", [429, 418])
def test_everybody_waits_as_long_as_the_exchange_asked_for(connect, stub, code):
    exchange = connect(requests=1)
    exchange.present()
    assert A in exchange.markets
    stub.faults.add(Fault("status", path="klines", code=code, retry_after=0.4))
    began = time.monotonic()
    assert len(exchange.panel([A, B, C], "1h", END - 5 * HOUR_MS)) == 3
    assert 0.35 < time.monotonic() - began < 3
    # One was refused, and nobody asked again before the time was over.
    assert stub.requests["klines"] == 4


def test_one_tasks_refusal_is_not_anothers_pause(connect, stub):
    """Of two concurrent requests, one is asked to pause and one times out: each uses its own response."""
    exchange = connect(attempts=1, timeout_s=0.3)
    exchange.present()
    assert A in exchange.markets
    stub.faults.add(Fault("hang", path="klines", symbol="SYNAUSDT", seconds=1))
    stub.faults.add(Fault("status", path="klines", symbol="SYNBUSDT", code=429, retry_after=0.01))

    async def both():
        reads = (exchange.read_candles(symbol, "1h", END - HOUR_MS) for symbol in (A, B))
        return await exchange.connection.each(reads)

    hung, refused = exchange.connection.run(both())
    assert "429" in str(refused)
    assert "429" not in str(hung)


def test_closing_twice_is_closing_once_and_ends_what_runs(connect, stub):
    exchange = connect()
    exchange.present()
    stub.faults.add(Fault("hang", path="klines", seconds=3))
    running = asyncio.run_coroutine_threadsafe(exchange.read_candles(A, "1h", END - HOUR_MS), exchange.connection._loop)
    time.sleep(0.1)
    began = time.monotonic()
    exchange.close()
    exchange.close()
    assert time.monotonic() - began < 1
    assert running.cancelled()


def test_many_reads_ask_for_markets_and_time_once(connect, stub):
    exchange = connect()

    async def all_at_once():
        return await exchange.connection.each(
            exchange.read_candles(symbol, "1h", END - HOUR_MS) for symbol in (A, B, C)
        )

    assert [len(candles) for candles in exchange.connection.run(all_at_once())] == [1, 1, 1]
    assert (stub.requests["exchangeInfo"], stub.requests["time"]) == (1, 1)


def test_a_coroutine_that_would_wait_for_itself_is_refused(connect):
    connection = connect().connection

    async def inner():
        return 1

    async def outer():
        return connection.run(inner())

    with pytest.raises(RuntimeError, match="must not wait for the connection"):
        connection.run(outer())


def test_without_ccxt_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ccxt.async_support", None)
    with pytest.raises(MissingExtraError, match=r"quorate\[exchange\]"):
        load_ccxt()


@pytest.mark.parametrize("setting", [{"attempts": 0}, {"timeout_s": 0}, {"page_rows": 1}, {"url": "127.0.0.1"}])
def test_settings_out_of_range(setting):
    with pytest.raises(ValueError, match=f"exchange.{next(iter(setting))}"):
        ExchangeSettings(**setting)
