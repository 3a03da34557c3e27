"""The bars of a feed as the account sees them: those that have just opened, and those that have closed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import numpy as np

from quorate.core.clock import DAY_MS, timeframe_ms
from quorate.core.types import Candles, FloatArray
from quorate.market.feed import Feed
from quorate.trading.account.bar import Bar
from quorate.trading.account.tape import Tape

# How far back settlements are looked at to judge whether one is missing.
_FUNDING_MS = 2 * DAY_MS

BarOf = Callable[[str], Bar | None]


def closed_bars(feed: Feed, time: int, candles: Mapping[str, Candles], seen: Mapping[str, int]) -> BarOf:
    """The bars that opened at `time` and are closed, of the markets that are held.

    Bars that came too late for their own time are part of the one they came with: its high and low are the highest and
    the lowest of all of them, so no stop is passed over.

    Args:
        feed: asked for mark prices and settlements.
        time: open time in ms.
        candles: market -> its newest closed candles.
        seen: market that is held -> the last bar of it that the account has looked at, in ms.
    """
    newest = {
        symbol: _merged(known, bar)
        for symbol, bar in seen.items()
        if (known := candles.get(symbol)) is not None and len(known) and known.time[-1] == time
    }
    return _bars(feed, time, newest, seen)


def opening_bars(
    feed: Feed, time: int, candles: Mapping[str, Candles], opens: Mapping[str, float], symbols: Collection[str]
) -> BarOf:
    """The bars that open at `time`, of which only the first price is known, of these markets.

    Args:
        feed: asked for mark prices and settlements.
        time: open time in ms.
        candles: market -> its closed candles before `time`.
        opens: market -> the first price.
        symbols: markets that are held or ordered; of others nobody asks.
    """
    running = {symbol: _running(symbol, feed.timeframe, time, candles, opens) for symbol in symbols if symbol in opens}
    return _bars(feed, time, running, {})


def _merged(candles: Candles, seen: int) -> Candles:
    """The last bar that was looked at, and the newest with all that came between them."""
    late = candles.between(seen + 1)
    if len(late) <= 1:
        return candles.tail(2)
    before = candles.between(end=seen + 1).tail(1)

    def column(name: str, value: float) -> FloatArray:
        return np.append(getattr(before, name), value)

    return Candles(
        candles.symbol,
        candles.timeframe,
        np.append(before.time, late.time[-1]),
        column("open", late.open[0]),
        column("high", late.high.max()),
        column("low", late.low.min()),
        column("close", late.close[-1]),
        column("volume", late.volume.sum()),
    )


def _running(
    symbol: str, timeframe: str, time: int, candles: Mapping[str, Candles], opens: Mapping[str, float]
) -> Candles:
    """The last closed candle and the one that runs, as if it had not moved yet."""
    before = candles[symbol].between(end=time).tail(1) if symbol in candles else None
    price = opens[symbol]
    if before is None or not len(before):
        one = np.array([price])
        return Candles(symbol, timeframe, np.array([time]), one, one, one, one, np.zeros(1))
    open_, high, low, close = (
        np.append(prices, price) for prices in (before.open, before.high, before.low, before.close)
    )
    volume = np.append(before.volume, 0.0)
    return Candles(symbol, timeframe, np.append(before.time, time), open_, high, low, close, volume)


def _bars(feed: Feed, time: int, candles: Mapping[str, Candles], seen: Mapping[str, int]) -> BarOf:
    """The newest bar of each market, with the funding since the bar before and its mark prices."""
    if not candles:
        return lambda _: None
    end = time + timeframe_ms(feed.timeframe)
    start = min(int(known.time[0]) for known in candles.values())
    marks = feed.marks(start, end, tuple(candles))
    funding = feed.funding(start - _FUNDING_MS, end, tuple(candles))
    made = {}
    for symbol, known in candles.items():
        mark = marks.get(symbol)
        if mark is not None and symbol in seen and len(mark) and mark.time[-1] == time:
            mark = _merged(mark, seen[symbol])
        made[symbol] = Tape(known, funding.get(symbol), mark).at(time)
    return made.get
