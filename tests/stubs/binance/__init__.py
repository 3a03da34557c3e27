"""Local stub of Binance: its public REST API for spot and USDT-M, served from a folder of candles.

In a test:

    with BinanceStub(folder, now=parse_ms("2024-03-01")) as stub:
        ...                                   # stub.url, stub.urls for ccxt
        stub.clock.advance(3_600_000)
        stub.faults.add(Fault("status", code=429, retry_after=1))

As a program, with the same controls by HTTP (listed in server.py):

    python tests/stubs/binance --data DIR --port 18080 [--now 2024-03-01 | --live] [--speed 60]
"""

from stubs.binance.clock import Clock
from stubs.binance.faults import Fault, Faults
from stubs.binance.process import StubProcess, spawn
from stubs.binance.server import BinanceStub, api_urls

__all__ = ["BinanceStub", "Clock", "Fault", "Faults", "StubProcess", "api_urls", "spawn"]
