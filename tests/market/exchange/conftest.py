"""A small market on disk, the stub exchange that serves it, and the real client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.settings import ExchangeSettings
from quorate.core.types import Candles
from quorate.market import SyntheticMarket, write_candles
from quorate.market.exchange import Exchange
from stubs.binance import BinanceStub

START = parse_ms("2024-01-01")
BARS = 1200
END = START + BARS * HOUR_MS

A, B, C = "SYNA/USDT:USDT", "SYNB/USDT:USDT", "SYNC/USDT:USDT"


@pytest.fixture(scope="session")
def truth() -> SyntheticMarket:
    """Markets of the exchange: three perpetuals, hourly, 1,200 bars from 2024-01-01."""
    return SyntheticMarket(seed=11, symbols=3, bars=BARS, start=START)


@pytest.fixture(scope="session")
def served(truth, tmp_path_factory) -> Path:
    """The folder behind the exchange: candles and settlements, mark prices of the first market, and one of spot."""
    folder = tmp_path_factory.mktemp("served")
    truth.write(folder)
    first = truth.candles(A)
    write_candles(folder, first, mark=True)
    columns = {name: getattr(first, name) for name in ("time", "open", "high", "low", "close", "volume")}
    write_candles(folder, Candles("SYNA/USDT", "1h", **columns, synthetic=True))
    return folder


@pytest.fixture
def stub(served) -> Iterator[BinanceStub]:
    """The exchange, with its clock stopped half an hour after the last bar."""
    with BinanceStub(served, now=END + HOUR_MS // 2) as stub:
        yield stub


@pytest.fixture
def connect(stub) -> Iterator[Callable[..., Exchange]]:
    """Build a client of the exchange, with settings and a clock of its own."""
    with ExitStack() as stack:

        def make(clock: Callable[[], int] | None = None, **settings: Any) -> Exchange:
            quick = {"url": stub.url, "timeout_s": 2.0, "pause_s": 0.005, "paced": False, "page_rows": 499}
            exchange = Exchange(ExchangeSettings(**{**quick, **settings}), clock=clock or stub.clock)
            return stack.enter_context(exchange)

        yield make


@pytest.fixture
def exchange(connect) -> Exchange:
    return connect()
