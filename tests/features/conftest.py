"""Candles that tests can shape."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from quorate.core.clock import parse_ms, timeframe_ms
from quorate.core.types import Candles

MakeCandles = Callable[..., Candles]


def _walk(
    bars: int,
    seed: int = 0,
    *,
    timeframe: str = "1h",
    price: float = 100.0,
    quiet: bool = False,
    symbol: str = "BTC/USDT:USDT",
) -> Candles:
    """A random walk. A quiet one also has bars without trades: volume 0, and now and then 30 of them in a row."""
    random = np.random.default_rng(seed)
    moves = random.normal(0, 0.01, bars) * random.choice([0.3, 1.0, 2.5], bars)
    still = random.random(bars) < 0.15
    for start in range(100, bars, 211):
        still[start : start + 30] = True
    still &= quiet
    moves[still] = 0
    close = price * np.exp(np.cumsum(moves))
    open_ = np.concatenate([close[:1], close[:-1]]) * np.where(still, 1, np.exp(random.normal(0, 0.002, bars)))
    high = np.maximum(open_, close) * np.where(still, 1, np.exp(np.abs(random.normal(0, 0.005, bars))))
    low = np.minimum(open_, close) * np.where(still, 1, np.exp(-np.abs(random.normal(0, 0.005, bars))))
    volume = np.where(still, 0.0, random.lognormal(6, 1, bars))
    time = parse_ms("2024-01-30") + timeframe_ms(timeframe) * np.arange(bars)
    return Candles(symbol, timeframe, time, open_, high, low, close, volume)


@pytest.fixture(scope="session")
def make_candles() -> MakeCandles:
    """`_walk`: (bars, seed, timeframe=, price=, quiet=, symbol=) -> Candles."""
    return _walk
