"""Live feed of closing bars of an exchange."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np

from quorate.core.clock import timeframe_ms
from quorate.core.errors import ExchangeDownError, ExchangeRefusedError, QuorateError
from quorate.core.sections.exchange import FeedSettings
from quorate.core.sections.market import QualitySettings
from quorate.core.types import Candles, Funding
from quorate.market.columns import NO_ROWS, Columns, join
from quorate.market.exchange.exchange_source import Exchange, as_candles
from quorate.market.exchange.feed_log import FeedLog
from quorate.market.exchange.live_clock import LiveClock
from quorate.market.exchange.live_listing import Delistings
from quorate.market.exchange.live_prices import LivePrices
from quorate.market.exchange.live_rounds import TICK_S, Rounds
from quorate.market.exchange.live_windows import LiveWindow
from quorate.market.exchange.paging.pages import read_candles
from quorate.market.feed import BarReport, Freshness
from quorate.market.quality.candle_checks import check_candles

# Markets whose candles are read to find whether a bar is over.
_PROBES = 8


class LiveFeed:
    """A `Feed` of an exchange.

    When a bar closes, all markets are requested at once: the missing candles of each, and the newest ones again in case
    they were revised. Requests are repeated until all bars are available or `feed.patience_s` is over. Errors of a
    market or of the exchange are a status; missed bars are read once it responds again.

    A bar is closed by the exchange's time (`LiveClock`). While the clocks differ by more than `feed.skew_stop_s`, or
    the exchange's is unknown, no position should be entered (`BarReport.may_enter`). Prices are checked before they are
    returned (`LivePrices`), and a market is gone only where the exchange says so (`Delistings`).

    Args:
        exchange: source of the bars.
        symbols: the markets.
        timeframe: of the bars.
        settings: windows, timeouts, limits of the clock difference.
        quality: limits of prices.

    Raises:
        UnknownSymbolError, UnknownTimeframeError: the exchange does not have a market or the timeframe.
        ExchangeError: the exchange's markets could not be read.
    """

    def __init__(
        self,
        exchange: Exchange,
        symbols: Collection[str],
        timeframe: str,
        settings: FeedSettings | None = None,
        quality: QualitySettings | None = None,
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
        self._refusals: Counter[str] = Counter()
        self._clock = LiveClock(exchange, timeframe)
        self._prices = LivePrices(timeframe, self._read_marks, self._log, quality)
        self._delistings = Delistings(exchange, self.settings)
        self._skew_ms: int | None = None
        self._stopped = threading.Event()
        self._rounds = Rounds(exchange.connection, self.settings.longest_s, self._stopped)

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
        return self._clock.closed()

    def wait(self, bar: int) -> BarReport | None:
        """Wait until the bar that opens at `bar` is closed, and report the markets that have it in time."""
        self._require_clock()
        if not self._sleep_until(bar):
            return None
        # Patience is counted from the close, but at least one request is sent for a bar that closed earlier.
        patience = time.monotonic() + self.settings.patience_s - max(0, self._clock.now() - bar - self._length) / 1000
        closed = self._clock.closed()
        behind = [symbol for symbol, window in self._windows.items() if (window.newest or 0) < max(bar, closed)]
        self._refusals.clear()
        self._request(bar, behind, clock=True)
        while True:
            awaited = [symbol for symbol in self._symbols if self._is_awaited(symbol, bar)]
            if not awaited or time.monotonic() >= patience:
                break
            if self._stopped.wait(self.settings.poll_s):
                return None
            self._request(bar, awaited)
        newest = {symbol: window.newest for symbol, window in self._windows.items()}
        if self._delistings.note(bar, self._length, newest, self._errors):
            self._rounds.each((), lambda symbol: self._tail(symbol, bar), self._delistings.look())
        return None if self._stopped.is_set() else self._report(bar)

    def opens(self, time: int) -> dict[str, float]:
        """Market -> open price of the bar at `time`, closed or not; markets whose price is unknown are left out."""
        known = self._opens(time)
        if len(known) < len(self._symbols):
            self._request(time, [symbol for symbol in self._symbols if symbol not in known])
            known = self._opens(time)
        doubtful = {symbol: window for symbol, window in self._windows.items() if symbol not in known}
        if not doubtful:
            return known
        marked = self._rounds.each(tuple(doubtful), lambda symbol: self._prices.confirmed(doubtful[symbol], time))
        return known | {symbol: price for symbol, price in marked.items() if isinstance(price, float)}

    def marks(self, start: int, end: int, symbols: Collection[str] | None = None) -> dict[str, Candles]:
        """Market -> mark price candles of the span, of a bar not closed only its open; unknown ones are left out."""
        wanted = [symbol for symbol in self._named(symbols) if self.exchange.has_mark(symbol)]
        found = self._rounds.each(wanted, lambda symbol: self._read_marks(symbol, start, end))
        checked = {
            symbol: self._prices.marks(self._windows[symbol], marks)
            for symbol, marks in found.items()
            if isinstance(marks, Candles)
        }
        return {symbol: marks for symbol, marks in checked.items() if len(marks)}

    def funding(self, start: int, end: int, symbols: Collection[str] | None = None) -> dict[str, Funding]:
        """Market -> funding settlements of the span, possibly none; markets without a response are left out."""
        wanted = [symbol for symbol in self._named(symbols) if self.exchange.has_funding(symbol)]
        found = self._rounds.each(wanted, lambda symbol: self.exchange.read_funding(symbol, start, end))
        return {symbol: funding for symbol, funding in found.items() if isinstance(funding, Funding)}

    def age_ms(self, time: int) -> int:
        """Milliseconds since `time` by the exchange's clock, or by the local one while the exchange's is unknown."""
        return self._clock.there() - time

    def stop(self) -> None:
        """End a running `wait`; later calls return None."""
        self._stopped.set()

    def _opens(self, time: int) -> dict[str, float]:
        """Market -> open price of the bar at `time`, of those whose price is known and not doubtful."""
        found = {symbol: window.open_of(time) for symbol, window in self._windows.items()}
        return {
            symbol: price
            for symbol, price in found.items()
            if price is not None and not self._prices.is_doubtful(self._windows[symbol], time)
        }

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

    def _sleep_until(self, bar: int) -> bool:
        """Wait until the bar at `bar` is over.

        Once it is by one of the clocks alone, the exchange's time is read again, since either reading may have been
        wrong, and the candles of a few markets, which tell. A clock that is behind for longer than `feed.patience_s` is
        not waited for.

        Returns:
            False if the feed was stopped before.
        """
        moment = bar + self._length + round(self.settings.settle_s * 1000)
        requested, pause = None, self.settings.poll_s
        while not self._stopped.is_set():
            left, passed = moment - self._clock.now(), self._clock.local() - moment
            if left <= 0 or passed >= self.settings.patience_s * 1000 or self._clock.is_over(bar):
                return True
            if max(passed, self._clock.there() - moment) >= 0:
                if requested is None:
                    requested = time.monotonic()
                elif time.monotonic() - requested >= pause:
                    self._request(bar, self._symbols[:_PROBES], clock=True)
                    requested, pause = time.monotonic(), min(2 * pause, max(pause, self.settings.patience_s))
            self._stopped.wait(min(TICK_S, left / 1000))
        return False

    def _request(self, bar: int, symbols: Sequence[str], *, clock: bool = False) -> None:
        """Read the missing candles of markets up to a bar, and the exchange's time if wanted; keep the errors."""
        found = self._rounds.each(
            symbols, lambda symbol: self._tail(symbol, bar), *([self._read_clock()] if clock else [])
        )
        for symbol, error in found.items():
            if isinstance(error, QuorateError):
                self._errors[symbol] = error
                self._refusals[symbol] += isinstance(error, ExchangeRefusedError)
            else:
                self._errors.pop(symbol, None)

    async def _tail(self, symbol: str, bar: int) -> None:
        """Read one market's missing candles, from the start of the window ending at `bar` to the current time."""
        window, bars = self._windows[symbol], self.settings.window_bars
        start = first = bar - (bars - 1) * self._length
        if window.newest is not None:
            start = max(first, window.newest - (self.settings.recheck_bars - 1) * self._length)
        end = max(self._clock.closed(), bar) + 2 * self._length
        rows = await self._rows(symbol, start, end)
        self._clock.note(rows.time)
        checked = check_candles(rows, self._timeframe, self._clock.now())
        running = rows.take(rows.time > self._clock.closed())
        # A bar that is missing before a later one will not come.
        self._passed[symbol] = int(rows.time.max()) if len(rows) else 0
        kept, doubt = await self._prices.believed(window, checked.kept)
        for time_ms in window.add(kept, running):
            self._log.revised(symbol, time_ms)
        for time_ms in dict.fromkeys(checked.quarantined.time.tolist()):
            self._log.faulty(symbol, time_ms)
        if doubt is not None:
            raise doubt

    async def _read_marks(self, symbol: str, start: int, end: int) -> Candles:
        """Read mark prices, of the running bar only the open; none where the exchange has none."""
        if not self.exchange.has_mark(symbol):
            return as_candles(symbol, self._timeframe, NO_ROWS)
        rows = await self._rows(symbol, start, end, mark=True)
        self._clock.note(rows.time)
        checked = check_candles(rows, self._timeframe, self._clock.now(), has_volume=False)
        running = np.flatnonzero(rows.time == self._clock.closed() + self._length)[-1:]
        first = rows.open[running]
        flat = Columns(rows.time[running], first, first, first, first, np.zeros(len(running)))
        return as_candles(symbol, self._timeframe, join([checked.kept, flat]))

    async def _rows(self, symbol: str, start: int, end: int, *, mark: bool = False) -> Columns:
        """Read rows with the bar not closed, with the few attempts of a feed."""
        connection, present = self.exchange.connection, self.exchange.known_present
        span = max(1, start), end, present
        patience = self.settings.attempts
        return await read_candles(connection, symbol, self._timeframe, *span, mark=mark, attempts=patience)

    def _is_awaited(self, symbol: str, bar: int) -> bool:
        if self._delistings.is_gone(symbol):
            return False
        # One more attempt, since a refusal may pass.
        if isinstance(self._errors.get(symbol), ExchangeRefusedError) and self._refusals[symbol] > 1:
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
        if newest == bar:
            return Freshness.FRESH
        if self._delistings.is_gone(symbol):
            return Freshness.GONE
        if error is not None and not isinstance(error, ExchangeDownError | ExchangeRefusedError):
            return Freshness.FAULTY
        behind = None if newest is None else (bar - newest) // self._length
        return Freshness.STALE if behind is None or behind >= self.settings.stale_bars else Freshness.LATE
