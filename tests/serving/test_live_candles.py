"""Candles of an exchange, kept as its bars close: against the stub of Binance."""

import asyncio
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS, iso_ms
from quorate.core.errors import ArgumentError, DataError, ExchangeError
from quorate.core.settings import ExchangeSettings, FeedSettings
from quorate.market.exchange import Exchange, LiveFeed
from quorate.serving import Service
from quorate.serving.live_candles import LiveCandles
from quorate.workflows.signals import signals
from stubs.binance import BinanceStub, Fault
from stubs.served import SETTINGS
from stubs.service_client import client

QUICK = FeedSettings(settle_s=0.0, poll_s=0.02, patience_s=0.3, window_bars=400)


@pytest.fixture
def stub(world):
    """The exchange, its clock stopped within the hour after the fourth bar from the end."""
    last = int(world.market.candles(world.symbols[0]).time[-4])
    with BinanceStub(world.data, now=last + HOUR_MS + 60_000) as stub:
        stub.last = last
        yield stub


@contextmanager
def following(stub, symbols):
    """Candles that a thread keeps up to date."""
    settings = ExchangeSettings(url=stub.url, timeout_s=2.0, pause_s=0.005, paced=False)
    with Exchange(settings, clock=stub.clock) as exchange:
        kept = LiveCandles(LiveFeed(exchange, symbols, "1h", QUICK))
        started, stop = threading.Event(), threading.Event()

        async def run():
            task = asyncio.create_task(kept.follow())
            started.set()
            await asyncio.to_thread(stop.wait)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        thread = threading.Thread(target=lambda: asyncio.run(run()))
        thread.start()
        try:
            yield kept
        finally:
            stop.set()
            thread.join(10)
            assert not thread.is_alive()


def until(met, seconds=5.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if met():
            return True
        time.sleep(0.01)
    return False


def test_each_bar_is_there_as_soon_as_it_has_closed(stub, world):
    with following(stub, world.symbols) as kept:
        for step in range(4):
            newest = stub.last + step * HOUR_MS
            assert until(lambda newest=newest: all(kept.newest(symbol) == newest for symbol in world.symbols))
            for symbol in world.symbols:
                there = world.market.candles(symbol).between(end=newest + 1).tail(400)
                assert np.array_equal(kept.of(symbol).close, there.close)
            assert kept.errors == {}
            assert abs(kept.now() - stub.clock()) < 1_000
            stub.clock.advance(HOUR_MS)


def test_a_market_that_fails_keeps_its_candles(stub, world):
    first, *others = world.symbols
    with following(stub, world.symbols) as kept:
        assert until(lambda: kept.newest(first) == stub.last)
        stub.faults.add(Fault("status", code=500, symbol=first.partition("/")[0] + "USDT", times=0))
        stub.clock.advance(HOUR_MS)
        assert until(lambda: first in kept.errors)
        assert isinstance(kept.errors[first], DataError)
        assert kept.newest(first) == stub.last
        assert all(kept.newest(symbol) == stub.last + HOUR_MS for symbol in others)
        stub.faults.clear()
        stub.clock.advance(HOUR_MS)
        assert until(lambda: kept.newest(first) == stub.last + 2 * HOUR_MS)
        assert kept.errors == {}


def test_bars_that_closed_meanwhile_are_in_the_newest_window(stub, world):
    with following(stub, world.symbols) as kept:
        assert until(lambda: kept.newest(world.symbols[0]) == stub.last)
        stub.clock.advance(3 * HOUR_MS)
        assert until(lambda: kept.newest(world.symbols[0]) == stub.last + 3 * HOUR_MS)
        held = kept.of(world.symbols[0])
        assert np.all(np.diff(held.time) == HOUR_MS)


def test_a_service_of_an_exchange(stub, world):
    settings = replace(SETTINGS, exchange=ExchangeSettings(url=stub.url, pause_s=0.005, paced=False), feed=QUICK)
    service = Service(world.bundles, exchange="binanceusdm", settings=settings, clock=stub.clock)
    with client(service) as http:
        # Those of the training.
        assert [each["symbol"] for each in http.get("/signals").json()] == list(world.symbols[:2])
        assert http.get(f"/signals/{world.symbols[0]}").json()["time"] == iso_ms(stub.last)
        stub.clock.advance(HOUR_MS)
        shown = iso_ms(stub.last + HOUR_MS)
        assert until(lambda: http.get(f"/signals/{world.symbols[0]}").json()["time"] == shown)
        stored = signals(
            world.bundles,
            {symbol: world.market.candles(symbol).between(end=stub.last + HOUR_MS + 1) for symbol in world.symbols[:2]},
            settings=settings,
        ).to_json()
        assert http.get("/signals").json() == stored
        assert http.get("/health/ready").json()["markets"]["newest"] == shown
        ages = [line for line in http.get("/metrics").text.splitlines() if line.startswith("quorate_data_age_seconds{")]
        assert len(ages) == 2
        assert all(60 <= float(line.split()[-1]) < 120 for line in ages)


def test_an_exchange_that_does_not_respond(stub, world):
    stub.stop()
    settings = replace(
        SETTINGS, exchange=ExchangeSettings(url=stub.url, timeout_s=0.3, attempts=1, pause_s=0.005), feed=QUICK
    )
    with pytest.raises(ExchangeError):
        Service(world.bundles, exchange="binanceusdm", settings=settings, clock=stub.clock)


def test_candles_come_from_one_place(world):
    with pytest.raises(ArgumentError, match="neither `data` nor `exchange`"):
        Service(world.bundles, settings=SETTINGS)
    with pytest.raises(ArgumentError, match="both"):
        Service(world.bundles, world.data, exchange="binanceusdm", settings=SETTINGS)
