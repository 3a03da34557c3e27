"""The bars of a feed as the account sees them: those that have just opened, and those that have closed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import numpy as np

from quorate.core.clock import DAY_MS, timeframe_ms
from quorate.core.types import Candles, Funding
from quorate.market.feed import Feed
from quorate.trading.bar import Bar
from quorate.trading.tape import Tape

# How far back settlements are looked at to judge whether one is missing.
_FUNDING_MS = 2 * DAY_MS

BarOf = Callable[[str], Bar | None]


def closed_bars(feed: Feed, time: int, candles: Mapping[str, Candles], symbols: Collection[str]) -> BarOf:
    """The bars that opened at `time` and are closed, of these markets.

    Args:
        feed: asked for mark prices and settlements.
        time: open time in ms.
        candles: market -> its newest closed candles.
        symbols: markets that are held; of others nobody asks.
    """
    newest = {
        symbol: known.tail(2)
        for symbol in symbols
        if (known := candles.get(symbol)) is not None and len(known) and known.time[-1] == time
    }
    return _bars(feed, time, newest)


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
    return _bars(feed, time, running)


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


def _bars(feed: Feed, time: int, candles: Mapping[str, Candles]) -> BarOf:
    """The newest bar of each market, with the funding since the bar before and its mark prices."""
    if not candles:
        return lambda _: None
    end = time + timeframe_ms(feed.timeframe)
    start = min(int(known.time[0]) for known in candles.values())
    marks = feed.marks(start, end, tuple(candles))
    funding = feed.funding(start - _FUNDING_MS, end, tuple(candles))
    made = {symbol: _bar(known, funding.get(symbol), marks.get(symbol), time) for symbol, known in candles.items()}
    return made.get


def _bar(candles: Candles, funding: Funding | None, marks: Candles | None, time: int) -> Bar | None:
    return Tape(candles, funding, marks).at(time)
