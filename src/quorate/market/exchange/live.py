"""Live feed of closing bars of an exchange."""

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
from quorate.market.quality.candle_checks import check_candles

T = TypeVar("T")

# Interval at which a wait checks the clock and whether the feed was stopped.
_TICK_S = 0.05


class LiveFeed:
    """A `Feed` of an exchange.

    When a bar closes, all markets are requested at once: the missing candles of each, and the newest ones again in case
    they were revised. Requests are repeated until all bars are available or `feed.patience_s` is over. Errors of a
    market or of the exchange are a status; missed bars are read once it responds again.

    A bar is closed once it is closed by both clocks. While they differ by more than `feed.skew_stop_s`, or the
    exchange's is unknown, no position should be entered (`BarReport.may_enter`).

    Args:
        exchange: source of the bars.
        symbols: the markets.
        timeframe: of the bars.
        settings: windows, timeouts, limits of the clock difference.

    Raises:
        UnknownSymbolError, UnknownTimeframeError: the exchange does not have a market or the timeframe.
        ExchangeError: the exchange's markets could not be read.
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
        self._errors: dict[str, QuorateError] = {}
        self._passed: dict[str, int] = {}
        self._skew_ms: int | None = None
        self._stopped = threading.Event()

    @property
    def timeframe(self) -> str:
        """Timeframe of the bars."""
        return self._timeframe

    @property
    def symbols(self) -> tuple[str, ...]:
        """The markets, sorted."""
        return self._symbols

    def begin(self) -> int:
        """Open time of the newest closed bar, in ms UTC."""
        self._require_clock()
        return newest_closed_ms(self._timeframe, self._now())

    def wait(self, bar: int) -> BarReport | None:
        """Wait until the bar that opens at `bar` is closed, and report the markets that have it in time."""
        self._require_clock()
        if not self._sleep_until(bar + self._length + round(self.settings.settle_s * 1000)):
            return None
        # Patience is counted from the close, but at least one request is sent for a bar that closed earlier.
        patience = time.monotonic() + self.settings.patience_s - max(0, self._now() - bar - self._length) / 1000
        closed = newest_closed_ms(self._timeframe, self._now())
        behind = [symbol for symbol, window in self._windows.items() if (window.newest or 0) < max(bar, closed)]
        self._request(bar, behind, clock=True)
        while True:
            awaited = [symbol for symbol in self._symbols if self._is_awaited(symbol, bar)]
            if not awaited or time.monotonic() >= patience:
                break
            if self._stopped.wait(self.settings.poll_s):
                return None
            self._request(bar, awaited)
        return None if self._stopped.is_set() else self._report(bar)

    def opens(self, time: int) -> dict[str, float]:
        """Market -> open price of the bar at `time`, closed or not; markets whose price is unknown are left out."""
        unknown = [symbol for symbol, window in self._windows.items() if window.open_of(time) is None]
        if unknown:
            self._request(time, unknown)
        found = {symbol: window.open_of(time) for symbol, window in self._windows.items()}
        return {symbol: price for symbol, price in found.items() if price is not None}

    def marks(self, start: int, end: int, symbols: Collection[str] | None = None) -> dict[str, Candles]:
        """Market -> mark price candles of the span, of a bar not closed only its open; unknown ones are left out."""
        wanted = [symbol for symbol in self._named(symbols) if self.exchange.has_mark(symbol)]
        found = self._each(wanted, lambda symbol: self._marks(symbol, start, end))
        return {symbol: marks for symbol, marks in found.items() if isinstance(marks, Candles) and len(marks)}

    def funding(self, start: int, end: int, symbols: Collection[str] | None = None) -> dict[str, Funding]:
        """Market -> funding settlements of the span, possibly none; markets without a response are left out."""
        wanted = [symbol for symbol in self._named(symbols) if self.exchange.has_funding(symbol)]
        found = self._each(wanted, lambda symbol: self.exchange.read_funding(symbol, start, end))
        return {symbol: funding for symbol, funding in found.items() if isinstance(funding, Funding)}

    def age_ms(self, time: int) -> int:
        """Milliseconds since `time` by the exchange's clock, or by the local one while the exchange's is unknown."""
        return self.exchange.clock() + (self.exchange.skew_ms or 0) - time

    def stop(self) -> None:
        """End a running `wait`; later calls return None."""
        self._stopped.set()

    def _now(self) -> int:
        """Current time by the earlier clock: a bar that is closed by it is closed by both."""
        return self.exchange.known_present().early

    def _named(self, symbols: Collection[str] | None) -> list[str]:
        return [symbol for symbol in self._symbols if symbols is None or symbol in symbols]

    def _require_clock(self) -> None:
        if self.exchange.skew_ms is None:
            self._request(0, (), clock=True)

    async def _read_clock(self) -> None:
        self._skew_ms = None
        try:
            self._skew_ms = await self.exchange.read_skew(self.settings.attempts)
        finally:
            self._log.clock(self._skew_ms)

    def _sleep_until(self, moment: int) -> bool:
        """Wait until `moment`, in ms UTC, by both clocks.

        Once it is reached by the local clock alone, the exchange's time is read again, since either reading may have
        been wrong; a clock that is behind for longer than `feed.patience_s` is not waited for.

        Returns:
            False if the feed was stopped before.
        """
        requested = time.monotonic()
        while not self._stopped.is_set():
            left = moment - self._now()
            passed = self.exchange.clock() - moment  # by the local clock
            if left <= 0 or passed >= self.settings.patience_s * 1000:
                return True
            if passed >= 0 and time.monotonic() - requested >= self.settings.poll_s:
                self._request(0, (), clock=True)
                requested = time.monotonic()
            self._stopped.wait(min(_TICK_S, left / 1000))
        return False

    def _request(self, bar: int, symbols: Sequence[str], *, clock: bool = False) -> None:
        """Read the missing candles of markets up to a bar, and the exchange's time if wanted; keep the errors."""
        found = self._each(symbols, lambda symbol: self._tail(symbol, bar), *([self._read_clock()] if clock else []))
        for symbol, error in found.items():
            if isinstance(error, QuorateError):
                self._errors[symbol] = error
            else:
                self._errors.pop(symbol, None)

    async def _tail(self, symbol: str, bar: int) -> None:
        """Read one market's missing candles, from the start of the window ending at `bar` to the current time."""
        window, bars = self._windows[symbol], self.settings.window_bars
        start = first = bar - (bars - 1) * self._length
        if window.newest is not None:
            start = max(first, window.newest - (self.settings.recheck_bars - 1) * self._length)
        closed = newest_closed_ms(self._timeframe, self._now())
        end = max(closed, bar) + 2 * self._length
        rows = await self._rows(symbol, start, end)
        checked = check_candles(rows, self._timeframe, self._now())
        running = rows.take(rows.time > closed)
        for time_ms in window.add(checked.kept, running):
            self._log.revised(symbol, time_ms)
        for time_ms in dict.fromkeys(checked.quarantined.time.tolist()):
            self._log.faulty(symbol, time_ms)
        # A bar that is missing before a later one will not come.
        self._passed[symbol] = int(rows.time.max()) if len(rows) else 0

    async def _marks(self, symbol: str, start: int, end: int) -> Candles:
        rows = await self._rows(symbol, start, end, mark=True)
        checked = check_candles(rows, self._timeframe, self._now(), has_volume=False)
        after = newest_closed_ms(self._timeframe, self._now()) + self._length
        running = np.flatnonzero(rows.time == after)[-1:]
        first = rows.open[running]
        flat = Columns(rows.time[running], first, first, first, first, np.zeros(len(running)))
        return as_candles(symbol, self._timeframe, join([checked.kept, flat]))

    async def _rows(self, symbol: str, start: int, end: int, *, mark: bool = False) -> Columns:
        """Read rows with the bar not closed, with the few attempts of a feed."""
        connection, present = self.exchange.connection, self.exchange.known_present
        span = max(1, start), end, present
        patience = self.settings.attempts
        return await read_candles(connection, symbol, self._timeframe, *span, mark=mark, attempts=patience, once=True)

    def _is_awaited(self, symbol: str, bar: int) -> bool:
        error = self._errors.get(symbol)
        if isinstance(error, ExchangeRefusedError):
            return False
        here = self._windows[symbol].newest
        return (here is None or here < bar) and self._passed.get(symbol, 0) <= bar

    def _report(self, bar: int) -> BarReport:
        down = all(isinstance(self._errors.get(symbol), ExchangeDownError) for symbol in self._symbols)
        candles, status = {}, {}
        for symbol, window in self._windows.items():
            there = window.upto(bar, self.settings.window_bars)
            newest = None if there is None else int(there.time[-1])
            status[symbol] = self._status(symbol, bar, newest)
            if there is not None and newest == bar:
                candles[symbol] = there
                # Only here, so that bars missed in an outage are requested again.
                window.forget(bar, self.settings.window_bars)
        skew = None if down else self._skew_ms
        self._log.exchange(down)
        if not down:
            for symbol, how in status.items():
                self._log.market(symbol, how, self._errors.get(symbol))
        close = skew is not None and abs(skew) <= self.settings.skew_stop_s * 1000
        return BarReport(bar, candles, status, skew, down, close, self._log.take())

    def _status(self, symbol: str, bar: int, newest: int | None) -> Freshness:
        error = self._errors.get(symbol)
        if isinstance(error, ExchangeRefusedError):
            return Freshness.GONE
        if newest == bar:
            return Freshness.FRESH
        if error is not None and not isinstance(error, ExchangeDownError):
            return Freshness.FAULTY
        behind = None if newest is None else (bar - newest) // self._length
        return Freshness.STALE if behind is None or behind >= self.settings.stale_bars else Freshness.LATE

    def _each(
        self,
        symbols: Sequence[str],
        read: Callable[[str], Coroutine[Any, Any, T]],
        *beside: Coroutine[Any, Any, Any],
    ) -> dict[str, T | QuorateError]:
        """Run a read for each market concurrently, together with other reads, until done or stopped.

        Returns:
            Market -> result or error; empty if the feed was stopped.
        """
        connection, longest_s = self.exchange.connection, self.settings.longest_s

        async def all_of_them() -> list[T | QuorateError]:
            reads = connection.each((read(symbol) for symbol in symbols), longest_s)
            both = await asyncio.gather(reads, connection.each(beside, longest_s))
            found: list[T | QuorateError] = both[0]
            return found

        stoppable = not self._stopped.is_set()
        future = connection.start(all_of_them())
        try:
            while stoppable and not self._stopped.is_set() and not wait([future], _TICK_S).done:
                pass
            if stoppable and self._stopped.is_set() and not future.done():
                return {}
            return dict(zip(symbols, future.result(), strict=True))
        finally:
            future.cancel()
