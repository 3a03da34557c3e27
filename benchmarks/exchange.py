"""Download of the newest bar of 100 markets by the live feed and by plain ccxt, at a given latency of the exchange.

    python benchmarks/exchange.py

Both use the stub of Binance, which runs in its own process and delays each response. Plain ccxt is a loop over
`fetch_ohlcv`, and the same in 32 threads with one client each. The feed also requests the exchange's time, validates
every row and checks for revisions. No rate limit is applied: the requests of one bar are below the exchange's limit of
a minute.
"""

from __future__ import annotations

import queue
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import ccxt

from quorate.core.clock import HOUR_MS, format_ms, parse_ms
from quorate.core.settings import ExchangeSettings, FeedSettings
from quorate.market import SyntheticMarket
from quorate.market.exchange import Exchange, LiveFeed
from stubs.binance import StubProcess, spawn

MARKETS = 100
BARS = 600
WARM = 530
THREADS = 32
REPEATS = 5
START = parse_ms("2024-01-01")
RESULT = Path(__file__).parent / "results" / "exchange.md"


def median(work: Callable[[int], object], first: int) -> float:
    """Median wall time in seconds over several consecutive bars."""
    took = []
    for bar in range(first, first + REPEATS):
        began = time.perf_counter()
        work(bar)
        took.append(time.perf_counter() - began)
    return sorted(took)[REPEATS // 2]


def client(stub: StubProcess, markets: Any = None) -> Any:
    plain = ccxt.binanceusdm({"enableRateLimit": False})
    plain.urls["api"].update(stub.urls)
    if markets is None:
        plain.load_markets()
    else:
        plain.set_markets(markets)
    return plain


def measure(folder: Path, latency_ms: int) -> tuple[float, float, float, float]:
    """Seconds of the feed's first bar, of its next bars, of plain ccxt's loop, and of its threads."""
    now = START + (WARM + 1) * HOUR_MS
    with spawn(folder, "--now", str(now), "--latency-ms", str(latency_ms)) as stub:
        clock = [now]
        settings = ExchangeSettings(url=stub.url, paced=False)
        with Exchange(settings, clock=lambda: clock[0]) as exchange:
            feed = LiveFeed(exchange, exchange.symbols("1h"), "1h", FeedSettings(settle_s=0))

            def bar(number: int) -> None:
                stub.post("clock", now=START + (number + 1) * HOUR_MS)
                clock[0] = START + (number + 1) * HOUR_MS
                report = feed.wait(START + number * HOUR_MS)
                assert report is not None
                assert len(report.candles) == MARKETS, format_ms(report.time)

            began = time.perf_counter()
            bar(WARM)
            first = time.perf_counter() - began
            following = median(bar, WARM + 1)
        one = client(stub)
        symbols = sorted(one.markets)

        def tail(plain: Any, symbol: str, number: int) -> None:
            assert plain.fetch_ohlcv(symbol, "1h", START + (number - 1) * HOUR_MS, 5)

        def loop(number: int) -> None:
            for symbol in symbols:
                tail(one, symbol, number)

        clients: queue.Queue[Any] = queue.Queue()
        for _ in range(THREADS):
            clients.put(client(stub, one.markets))

        def tail_by_any(symbol: str, number: int) -> None:
            plain = clients.get()
            tail(plain, symbol, number)
            clients.put(plain)

        with ThreadPoolExecutor(THREADS) as pool:

            def threads(number: int) -> None:
                list(pool.map(tail_by_any, symbols, [number] * len(symbols)))

            threads(WARM)
            return first, following, median(loop, WARM), median(threads, WARM)


def main() -> None:
    lines = [
        f"# The newest bar of {MARKETS} markets",
        "",
        "`python benchmarks/exchange.py`: seconds for one bar, median of five; the stub of Binance runs in its own "
        "process. The feed also requests the time, validates every row and checks for revisions; its first bar fetches "
        "500 candles of each market.",
        "",
        f"| latency of a response | feed, first bar | feed, next bars | plain ccxt, one by one | plain ccxt, {THREADS} "
        "clients in threads |",
        "|---:|---:|---:|---:|---:|",
    ]
    with TemporaryDirectory() as name:
        SyntheticMarket(seed=3, symbols=MARKETS, bars=BARS, start=START).write(Path(name))
        for latency_ms in (0, 100):
            took = measure(Path(name), latency_ms)
            lines.append(f"| {latency_ms} ms | " + " | ".join(f"{seconds:.2f}" for seconds in took) + " |")
    text = "\n".join(lines) + "\n"
    RESULT.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
