"""Bars of a feed for the account: those that have just opened, and those that have closed."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from quorate.core.clock import DAY_MS, timeframe_ms
from quorate.core.scale_changes import scale_change_times
from quorate.core.types import Candles, FloatArray
from quorate.market.feed import Feed
from quorate.trading.account.account import BarOf
from quorate.trading.account.tape import Tape

# Settlements are read this far back, to find whether one is missing.
_FUNDING_MS = 2 * DAY_MS


def closed_bars(feed: Feed, time: int, candles: Mapping[str, Candles], seen: Mapping[str, int]) -> BarOf:
    """The closed bars that opened at `time`, of the markets with a position.

    Bars that arrived late are merged into the one they arrived with: high and low are those of all of them, so that no
    stop is missed.

    Args:
        feed: of mark prices and settlements.
        time: open time in ms.
        candles: market -> its newest closed candles.
        seen: market with a position -> open time in ms of the last bar that the account has processed.
    """
    newest, rescaled = {}, set()
    for symbol, bar in seen.items():
        known = candles.get(symbol)
        if known is not None and len(known) and known.time[-1] == time:
            newest[symbol] = _merged(known, bar)
            if any(change > bar for change in scale_change_times(known)):
                rescaled.add(symbol)
    return _bars(feed, time, newest, seen, rescaled)


def opening_bars(
    feed: Feed, time: int, candles: Mapping[str, Candles], opens: Mapping[str, float], symbols: Collection[str]
) -> BarOf:
    """The bars that open at `time`, of which only the first price is known.

    Args:
        feed: of mark prices and settlements.
        time: open time in ms.
        candles: market -> its closed candles before `time`.
        opens: market -> the first price.
        symbols: markets with a position or an order.
    """
    whole = {symbol: _running(symbol, feed.timeframe, time, candles, opens) for symbol in symbols if symbol in opens}
    rescaled = {symbol for symbol, known in whole.items() if time in scale_change_times(known)}
    return _bars(feed, time, {symbol: known.tail(2) for symbol, known in whole.items()}, {}, rescaled)


def _merged(candles: Candles, seen: int) -> Candles:
    """The last processed bar, and the newest merged with all between them."""
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
    """The closed candles, and the current one with its open as all prices."""
    before = candles[symbol].between(end=time) if symbol in candles else None
    price = opens[symbol]
    if before is None or not len(before):
        one = np.array([price])
        return Candles(symbol, timeframe, np.array([time]), one, one, one, one, np.zeros(1))
    open_, high, low, close = (
        np.append(prices, price) for prices in (before.open, before.high, before.low, before.close)
    )
    volume = np.append(before.volume, 0.0)
    return Candles(symbol, timeframe, np.append(before.time, time), open_, high, low, close, volume)


def _bars(
    feed: Feed, time: int, candles: Mapping[str, Candles], seen: Mapping[str, int], rescaled: Collection[str]
) -> BarOf:
    """The newest bar of each market, with its mark prices and the funding since the previous bar."""
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
        made[symbol] = Tape(known, funding.get(symbol), mark, [time] if symbol in rescaled else ()).at(time)
    return made.get
