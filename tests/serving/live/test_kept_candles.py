"""Kept candles are those of the source, of which each bar but the newest is asked for once."""

from dataclasses import replace

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import UnknownSymbolError
from quorate.core.types import Funding
from quorate.market import SyntheticMarket
from quorate.market.memory import MemorySource
from quorate.serving.live.kept_candles import KeptCandles

MARKET = SyntheticMarket(seed=1, symbols=2, bars=200)
NAME = MARKET.names[0]
WHOLE = MARKET.candles(NAME)


DUE = WHOLE.time[4::8]
FUNDING = Funding(NAME, DUE, np.linspace(-1e-4, 1e-4, len(DUE)))


class GrowingSource(MemorySource):
    """Has the bars and settlements before a time that moves on, and counts those that it gives."""

    def __init__(self):
        markets = [MARKET.candles(name) for name in MARKET.names]
        super().__init__(markets, {NAME: FUNDING}, [replace(WHOLE, volume=np.zeros(len(WHOLE)))])
        self.bars, self.given, self.settled = 100, 0, 0

    def funding(self, symbol, start=None, end=None):
        now = int(WHOLE.time[0]) + self.bars * HOUR_MS
        found = super().funding(symbol, start, now if end is None else min(end, now))
        self.settled += 0 if found is None else len(found)
        return found

    def mark(self, symbol, timeframe, start=None, end=None):
        now = int(WHOLE.time[0]) + self.bars * HOUR_MS
        return super().mark(symbol, timeframe, start, now if end is None else min(end, now))

    def candles(self, symbol, timeframe, start=None, end=None):
        now = int(WHOLE.time[0]) + self.bars * HOUR_MS
        found = super().candles(symbol, timeframe, start, now if end is None else min(end, now))
        self.given += len(found)
        return found


def same(found, expected):
    for name in ("time", "open", "high", "low", "close", "volume"):
        assert np.array_equal(getattr(found, name), getattr(expected, name)), name


def test_they_are_those_of_the_source_however_it_grows():
    source = GrowingSource()
    kept = KeptCandles(source)
    random = np.random.default_rng(1)
    for step in range(60):
        source.bars = min(200, source.bars + int(random.integers(0, 4)))
        start, end = sorted(int(WHOLE.time[0]) + random.integers(-5, 210, 2) * HOUR_MS)
        span = (None if step % 5 == 0 else start, None if step % 3 == 0 else end)
        asked = kept.candles(NAME, "1h", *span)
        same(asked, source.candles(NAME, "1h", *span))
        same(kept.mark(NAME, "1h", *span), source.mark(NAME, "1h", *span))
        found, expected = kept.funding(NAME, *span), source.funding(NAME, *span)
        assert (found.time.tolist(), found.rate.tolist()) == (expected.time.tolist(), expected.rate.tolist())


def test_a_settlement_is_asked_for_once():
    source = GrowingSource()
    kept = KeptCandles(source)
    for bars in range(100, 150):
        source.bars = bars
        kept.funding(NAME, int(WHOLE.time[20]))
    assert source.settled == len(source.funding(NAME, int(WHOLE.time[20])))
    assert kept.funding(MARKET.names[1]) is None


def test_a_bar_is_asked_for_once():
    source = GrowingSource()
    kept = KeptCandles(source)
    start = int(WHOLE.time[20])
    kept.candles(NAME, "1h", start)
    assert source.given == 80
    for bars in range(101, 131):
        source.bars = bars
        kept.candles(NAME, "1h", start)
    assert source.given == 80 + 30 * 2  # the newest one again, and the new one
    kept.candles(NAME, "1h", int(WHOLE.time[50]), int(WHOLE.time[60]))
    assert source.given == 80 + 30 * 2 + 1


def test_earlier_bars_and_other_markets_are_read():
    source = GrowingSource()
    kept = KeptCandles(source)
    kept.candles(NAME, "1h", int(WHOLE.time[50]))
    same(kept.candles(NAME, "1h"), source.candles(NAME, "1h"))
    same(kept.candles(MARKET.names[1], "1h"), source.candles(MARKET.names[1], "1h"))
    assert kept.symbols("1h") == source.symbols("1h")
    with pytest.raises(UnknownSymbolError):
        kept.candles("NONE/USDT:USDT", "1h")
    assert kept.mark(MARKET.names[1], "1h") is None
