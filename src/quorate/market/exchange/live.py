"""Bars as they close on an exchange."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Collection, Coroutine, Sequence
from concurrent.futures import wait
from typing import Any, TypeVar

import numpy as np

from quorate.core.clock import newest_closed_ms, timeframe_ms
from quorate.core.errors import ExchangeDownError, ExchangeRefusedError, QuorateError
from quorate.core.sections.exchange import FeedSettings
from quorate.core.types import Candles, Funding
from quorate.market.columns import Columns, join
from quorate.market.exchange.exchange_source import Exchange, as_candles
from quorate.market.exchange.feed_log import FeedLog
from quorate.market.exchange.live_windows import LiveWindow
from quorate.market.exchange.pages import read_candles
from quorate.market.feed import BarReport, Freshness
from quorate.market.quality.candle_checks import judge

T = TypeVar("T")

# How often a wait looks at the clock: a stop is heeded this fast, and a clock that is set is noticed.
_TICK_S = 0.05


class LiveFeed:
    """A `Feed` over an exchange.

    All markets are asked at once when a bar closes, each only for what it lacks and for the newest candles it has, in
    case they were revised; again and again until every bar is here or the patience of the settings runs out. A market
    or an exchange in trouble is a status; when it answers again, missed bars are caught up.

    A bar is closed once both clocks say so. While they are further apart than the settings allow, or the exchange's is
    not known, nothing should be entered (`BarReport.may_enter`).

    Args:
        exchange: where the bars come from.
        symbols: the markets.
        timeframe: of the bars.
        settings: windows, patience, clocks.

    Raises:
        UnknownSymbolError, UnknownTimeframeError: before the feed begins.
        ExchangeError: the exchange cannot be asked for its markets.
    """

    def __init__(
        self, exchange: Exchange, symbols: Collection[str], timeframe: str, settings: FeedSettings | None = None
    ) -> None:
        self.exchange = exchange
        self.settings = settings or FeedSettings()
        self._timeframe = timeframe
        self._length = timeframe_ms(timeframe)
        self._symbols = tuple(sorted(set(symbols)))
        for symbol in self._symbols:
            exchange.require(symbol, timeframe)
        self._windows = {symbol: LiveWindow(symbol, timeframe) for symbol in self._symbols}
        self._log = FeedLog(self.settings)
        self._trouble: dict[str, QuorateError] = {}
        self._passed: dict[str, int] = {}
        self._skew_ms: int | None = None
        self._stopped = threading.Event()

    @property
    def timeframe(self) -> str:
        """Of the bars."""
        return self._timeframe

    @property
    def symbols(self) -> tuple[str, ...]:
        """The markets, sorted."""
        return self._symbols

    def begin(self) -> int:
        """The newest bar that is closed now."""
        self._know_the_clock()
        return newest_closed_ms(self._timeframe, self._now())

    def wait(self, bar: int) -> BarReport | None:
        """The bar that opens at `bar`, once it is closed and here, or as much of it as came in time."""
        self._know_the_clock()
        if not self._sleep_until(bar + self._length + round(self.settings.settle_s * 1000)):
            return None
        # What closed long ago is there or will not be: patience is counted from the close, but one answer is due.
        patience = time.monotonic() + self.settings.patience_s - max(0, self._now() - bar - self._length) / 1000
        closed = newest_closed_ms(self._timeframe, self._now())
        behind = [symbol for symbol, window in self._windows.items() if (window.newest or 0) < max(bar, closed)]
        self._ask_for(bar, behind, clock=True)
        while True:
            asked = [symbol for symbol in self._symbols if self._is_awaited(symbol, bar)]
            if not asked or time.monotonic() >= patience:
                break
            if self._stopped.wait(self.settings.poll_s):
                return None
            self._ask_for(bar, asked)
        return None if self._stopped.is_set() else self._report(bar)

    def opens(self, time: int) -> dict[str, float]:
        """Market -> the first price of the bar that opens at `time`, running or closed; without the unknown."""
        unknown = [symbol for symbol, window in self._windows.items() if window.open_of(time) is None]
        if unknown:
            self._ask_for(time, unknown)
        found = {symbol: window.open_of(time) for symbol, window in self._windows.items()}
        return {symbol: price for symbol, price in found.items() if price is not None}

    def marks(self, start: int, end: int, symbols: Collection[str] | None = None) -> dict[str, Candles]:
        """Market -> mark price candles of the span, of a running one its open; without the unknown."""
        wanted = [symbol for symbol in self._named(symbols) if self.exchange.has_mark(symbol)]
        found = self._each(wanted, lambda symbol: self._marks(symbol, start, end))
        return {symbol: marks for symbol, marks in found.items() if isinstance(marks, Candles) and len(marks)}

    def funding(self, start: int, end: int, symbols: Collection[str] | None = None) -> dict[str, Funding]:
        """Market -> settlements of the span, perhaps none; without the markets whose are unknown."""
        wanted = [symbol for symbol in self._named(symbols) if self.exchange.has_funding(symbol)]
        found = self._each(wanted, lambda symbol: self.exchange.read_funding(symbol, start, end))
        return {symbol: funding for symbol, funding in found.items() if isinstance(funding, Funding)}

    def age_ms(self, time: int) -> int:
        """How long ago that was, by the exchange's clock, or by ours while the exchange's is unknown."""
        return self.exchange.clock() + (self.exchange.skew_ms or 0) - time

    def stop(self) -> None:
        """End a running `wait`; it gives None from now on."""
        self._stopped.set()

    def _now(self) -> int:
        """The earlier of the two clocks: what is closed by it is closed by both."""
        return self.exchange.known_present().early

    def _named(self, symbols: Collection[str] | None) -> list[str]:
        return [symbol for symbol in self._symbols if symbols is None or symbol in symbols]

    def _know_the_clock(self) -> None:
        if self.exchange.skew_ms is None:
            self._ask_for(0, (), clock=True)

    async def _ask_clock(self) -> None:
        self._skew_ms = None
        try:
            self._skew_ms = await self.exchange.read_skew(self.settings.attempts)
        finally:
            self._log.clock(self._skew_ms)

    def _sleep_until(self, moment: int) -> bool:
        """Whether the moment came, by both clocks; False where the feed was stopped before.

        Where it has come by ours alone, the exchange is asked for its time again, which may have been wrong or become
        right; an exchange that is behind for longer than our patience is not waited for.
        """
        asked = time.monotonic()
        while not self._stopped.is_set():
            left = moment - self._now()
            ours = self.exchange.clock() - moment
            if left <= 0 or ours >= self.settings.patience_s * 1000:
                return True
            if ours >= 0 and time.monotonic() - asked >= self.settings.poll_s:
                self._ask_for(0, (), clock=True)
                asked = time.monotonic()
            self._stopped.wait(min(_TICK_S, left / 1000))
        return False

    def _ask_for(self, bar: int, symbols: Sequence[str], *, clock: bool = False) -> None:
        """Fetch what these markets lack up to a bar, and the exchange's time if wanted; keep who is in trouble."""
        found = self._each(symbols, lambda symbol: self._tail(symbol, bar), *([self._ask_clock()] if clock else []))
        for symbol, trouble in found.items():
            if isinstance(trouble, QuorateError):
                self._trouble[symbol] = trouble
            else:
                self._trouble.pop(symbol, None)

    async def _tail(self, symbol: str, bar: int) -> None:
        """Bring one market's window up to the present, and back to the first bar of the window that ends at `bar`."""
        window, bars = self._windows[symbol], self.settings.window_bars
        start = first = bar - (bars - 1) * self._length
        if window.newest is not None:
            start = max(first, window.newest - (self.settings.recheck_bars - 1) * self._length)
        closed = newest_closed_ms(self._timeframe, self._now())
        end = max(closed, bar) + 2 * self._length
        rows = await self._rows(symbol, start, end)
        verdict = judge(rows, self._timeframe, self._now())
        running = rows.take(rows.time > closed)
        for time_ms in window.add(verdict.kept, running):
            self._log.revised(symbol, time_ms)
        for time_ms in dict.fromkeys(verdict.quarantined.time.tolist()):
            self._log.faulty(symbol, time_ms)
        # What follows a bar that is not there says that it will not come.
        self._passed[symbol] = int(rows.time.max()) if len(rows) else 0

    async def _marks(self, symbol: str, start: int, end: int) -> Candles:
        rows = await self._rows(symbol, start, end, mark=True)
        verdict = judge(rows, self._timeframe, self._now(), has_volume=False)
        after = newest_closed_ms(self._timeframe, self._now()) + self._length
        running = np.flatnonzero(rows.time == after)[-1:]
        first = rows.open[running]
        flat = Columns(rows.time[running], first, first, first, first, np.zeros(len(running)))
        return as_candles(symbol, self._timeframe, join([verdict.kept, flat]))

    async def _rows(self, symbol: str, start: int, end: int, *, mark: bool = False) -> Columns:
        """Rows from the exchange, the running one with them, asked for as impatiently as a feed does."""
        connection, present = self.exchange.connection, self.exchange.known_present
        span = max(1, start), end, present
        patience = self.settings.attempts
        return await read_candles(connection, symbol, self._timeframe, *span, mark=mark, attempts=patience, once=True)

    def _is_awaited(self, symbol: str, bar: int) -> bool:
        trouble = self._trouble.get(symbol)
        if isinstance(trouble, ExchangeRefusedError):
            return False
        here = self._windows[symbol].newest
        return (here is None or here < bar) and self._passed.get(symbol, 0) <= bar

    def _report(self, bar: int) -> BarReport:
        down = all(isinstance(self._trouble.get(symbol), ExchangeDownError) for symbol in self._symbols)
        candles, status = {}, {}
        for symbol, window in self._windows.items():
            there = window.upto(bar, self.settings.window_bars)
            newest = None if there is None else int(there.time[-1])
            status[symbol] = self._status(symbol, bar, newest)
            if there is not None and newest == bar:
                candles[symbol] = there
                # Only now: bars that were missed in an outage are asked for once more.
                window.forget(bar, self.settings.window_bars)
        skew = None if down else self._skew_ms
        self._log.exchange(down)
        if not down:
            for symbol, how in status.items():
                self._log.market(symbol, how, self._trouble.get(symbol))
        close = skew is not None and abs(skew) <= self.settings.skew_stop_s * 1000
        return BarReport(bar, candles, status, skew, down, close, self._log.take())

    def _status(self, symbol: str, bar: int, newest: int | None) -> Freshness:
        trouble = self._trouble.get(symbol)
        if isinstance(trouble, ExchangeRefusedError):
            return Freshness.GONE
        if newest == bar:
            return Freshness.FRESH
        if trouble is not None and not isinstance(trouble, ExchangeDownError):
            return Freshness.FAULTY
        behind = None if newest is None else (bar - newest) // self._length
        return Freshness.STALE if behind is None or behind >= self.settings.stale_bars else Freshness.LATE

    def _each(
        self,
        symbols: Sequence[str],
        read: Callable[[str], Coroutine[Any, Any, T]],
        *beside: Coroutine[Any, Any, Any],
    ) -> dict[str, T | QuorateError]:
        """What a read gives for each market, all at once, and other reads with them."""
        connection, longest_s = self.exchange.connection, self.settings.longest_s

        async def all_of_them() -> list[T | QuorateError]:
            reads = connection.each((read(symbol) for symbol in symbols), longest_s)
            both = await asyncio.gather(reads, connection.each(beside, longest_s))
            found: list[T | QuorateError] = both[0]
            return found

        heeds_stop = not self._stopped.is_set()
        future = connection.start(all_of_them())
        try:
            while heeds_stop and not self._stopped.is_set() and not wait([future], _TICK_S).done:
                pass
            if heeds_stop and self._stopped.is_set() and not future.done():
                return {}
            return dict(zip(symbols, future.result(), strict=True))
        finally:
            future.cancel()
