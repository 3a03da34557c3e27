"""Candles in memory: read again when a file changes, kept when it can no longer be read."""

import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.errors import DataError, TooLittleHistoryError, UnknownSymbolError
from quorate.market.files.candle_store import write_candles
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.market.memory import MemorySource
from quorate.market.synthetic import SyntheticMarket
from quorate.serving.candles import StoredCandles


def newest(world, source=None, symbols=None, **options):
    options = {"bars": 600, **options}
    return StoredCandles(source or FreqtradeFolder(world.data), symbols or world.symbols, "1h", **options)


def test_a_new_bar_is_seen_and_other_files_are_not_read_again(world):
    kept = newest(world)
    assert tuple(kept.refresh()) == world.symbols
    assert kept.refresh() == {}
    symbol = world.symbols[1]
    whole = world.market.candles(symbol)
    other = kept.of(world.symbols[0])
    write_candles(world.data, whole[: len(whole) - 1])
    assert kept.refresh() == {symbol: whole.time[-2]}
    write_candles(world.data, whole)
    assert kept.refresh() == {symbol: whole.time[-1]}
    assert kept.newest(symbol) == whole.time[-1]
    assert kept.of(world.symbols[0]) is other


def test_no_more_bars_are_kept_than_asked_for(world):
    kept = newest(world, bars=500)
    kept.refresh()
    for symbol in world.symbols:
        held, whole = kept.of(symbol), world.market.candles(symbol)
        assert np.array_equal(held.close, whole.close[-500:])
        assert held.synthetic
        # A view would keep all bars in memory.
        base = held.close if held.close.base is None else held.close.base
        assert base.size == 500


def test_candles_stay_when_their_file_is_damaged(world, caplog):
    kept = newest(world)
    kept.refresh()
    symbol = world.symbols[0]
    before = kept.of(symbol)
    path = FreqtradeFolder(world.data).path_of(symbol, "1h", "futures")
    path.write_bytes(b"no table")
    for _ in range(3):
        assert kept.refresh() == {}
    assert kept.of(symbol) is before
    assert isinstance(kept.errors[symbol], DataError)
    assert caplog.text.count("candles cannot be read") == 1
    write_candles(world.data, world.market.candles(world.symbols[1]))
    path.unlink()
    write_candles(world.data, world.market.candles(symbol))
    kept.refresh()
    assert kept.errors == {}


def test_markets_that_are_not_served_or_have_no_candles(world):
    kept = newest(world, symbols=[*world.symbols, "NONE/USDT:USDT"])
    kept.refresh()
    assert [candles.symbol for candles in kept.known] == list(world.symbols)
    assert kept.newest("NONE/USDT:USDT") is None
    with pytest.raises(UnknownSymbolError, match="NONE"):
        kept.of("NONE/USDT:USDT")
    with pytest.raises(UnknownSymbolError, match="Did you mean"):
        kept.of(world.symbols[0].lower())
    with pytest.raises(UnknownSymbolError, match=r"\\ud800"):
        kept.of("\ud800" * 3)


def test_a_bar_that_was_not_closed_is_read_when_it_is(world):
    """The file does not change meanwhile; the clock does."""
    symbol = world.symbols[0]
    last = int(world.market.candles(symbol).time[-1])
    time = SimpleNamespace(now=last + HOUR_MS - 1)
    source = FreqtradeFolder(world.data, clock=lambda: time.now)
    kept = newest(world, source, [symbol], clock=lambda: time.now)
    kept.refresh()
    assert kept.newest(symbol) == last - HOUR_MS
    assert kept.refresh() == {}
    time.now += 1
    assert kept.refresh() == {symbol: last}
    assert kept.newest(symbol) == last


def test_a_source_in_memory_is_asked_until_it_has_the_newest_bar(world):
    symbol = world.symbols[0]
    whole = world.market.candles(symbol)
    last = int(whole.time[-1])

    class Growing(MemorySource):
        """A source that has one more bar at each call."""

        calls = 0

        def candles(self, *arguments):
            self.calls += 1
            return super().candles(*arguments)[: len(whole) - 3 + self.calls]

    source = Growing([whole])
    kept = newest(world, source, [symbol], clock=lambda: last + HOUR_MS)
    assert [tuple(kept.refresh()) for _ in range(4)] == [(symbol,), (symbol,), (symbol,), ()]
    assert source.calls == 3


def test_of_other_sources_only_the_bars_that_are_kept_are_asked_for(world):
    whole = world.market.candles(world.symbols[0])
    asked = []

    class Remote:
        """A source elsewhere, such as a database."""

        def candles(self, symbol, timeframe, start=None, end=None):
            asked.append(start)
            return whole.between(start, end)

    last = int(whole.time[-1])
    kept = newest(world, Remote(), [whole.symbol], bars=500, clock=lambda: last + HOUR_MS)
    kept.refresh()
    assert asked == [last - 499 * HOUR_MS]
    assert len(kept.of(whole.symbol)) == 500
    later = newest(world, Remote(), [whole.symbol], bars=500, clock=lambda: last + 600 * HOUR_MS)
    later.refresh()
    assert isinstance(later.errors[whole.symbol], TooLittleHistoryError)


def test_the_history_of_a_market_does_not_stay_in_memory(tmp_path):
    """In a process of its own, which reads long files again and again."""
    market = SyntheticMarket(seed=3, symbols=1, bars=60_000, start=parse_ms("2015-01-01"))
    candles = market.candles(market.names[0])
    symbols = [f"SYN{number}/USDT:USDT" for number in range(10)]
    for symbol in symbols:
        write_candles(tmp_path, replace(candles, symbol=symbol))
    code = f"""
import pyarrow, re
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.serving.candles import StoredCandles
def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
kept = StoredCandles(FreqtradeFolder({str(tmp_path)!r}), {symbols!r}, "1h", bars=500)
before = resident()
kept.refresh()
after = resident()
pyarrow.default_memory_pool().release_unused()
print(len(kept.known), after - before, after - resident())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    markets, more_mib, unused_mib = map(float, done.stdout.split())
    assert markets == 10
    # The files have 27 MiB of candles, of which a quarter of a MiB is kept; Arrow keeps little back.
    assert more_mib < 27
    assert unused_mib < 7
