"""Candles of tests, from values written by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from quorate.core.clock import parse_ms, timeframe_ms
from quorate.core.types import Candles


def _candles(
    close: Sequence[float],
    *,
    hours: Sequence[int] | None = None,
    high: Sequence[float] | None = None,
    low: Sequence[float] | None = None,
    opens: Sequence[float] | None = None,
    start: str = "2025-01-01",
    timeframe: str = "1h",
    symbol: str = "BTC/USDT:USDT",
) -> Candles:
    """Build candles from closes; `hours` counts bars since `start`, so that bars can be missing."""
    c = np.array(close, np.float64)
    steps = np.arange(len(c)) if hours is None else np.array(hours)
    o = c if opens is None else np.array(opens, np.float64)
    h = np.maximum(o, c) if high is None else np.array(high, np.float64)
    low_ = np.minimum(o, c) if low is None else np.array(low, np.float64)
    time = parse_ms(start) + timeframe_ms(timeframe) * steps.astype(np.int64)
    return Candles(symbol, timeframe, time, o, h, low_, c, np.full(len(c), 5.0))


@pytest.fixture(scope="session")
def candles() -> Callable[..., Candles]:
    """`_candles`: (close, hours=, high=, low=, opens=, start=, timeframe=, symbol=) -> Candles."""
    return _candles


@pytest.fixture(scope="session")
def walk() -> Callable[..., Candles]:
    """(bars, seed, **as for `candles`) -> a random walk with bars that overlap."""

    def make(bars: int, seed: int = 0, **options: object) -> Candles:
        random = np.random.default_rng(seed)
        close = 100 * np.exp(np.cumsum(random.normal(0, 0.01, bars)))
        opens = np.concatenate([close[:1], close[:-1]]) * np.exp(random.normal(0, 0.002, bars))
        high = np.maximum(opens, close) * np.exp(np.abs(random.normal(0, 0.004, bars)))
        low = np.minimum(opens, close) * np.exp(-np.abs(random.normal(0, 0.004, bars)))
        return _candles(close, opens=opens, high=high, low=low, **options)

    return make
