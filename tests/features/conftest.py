"""Candles that tests can shape."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from quorate.core.types import Candles
from quorate.features.checks.markets import random_walk

MakeCandles = Callable[..., Candles]


@pytest.fixture(scope="session")
def make_candles() -> MakeCandles:
    """`random_walk`: (bars, seed, timeframe=, price=, quiet=, symbol=) -> Candles."""
    return partial(random_walk, symbol="BTC/USDT:USDT")
