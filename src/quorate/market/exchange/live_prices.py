"""Checks of a live feed's prices before anything is traded at them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import numpy as np

from quorate.core.clock import format_ms, timeframe_ms
from quorate.core.errors import CandleError, ExchangeError
from quorate.core.sections.market import QualitySettings
from quorate.core.types import CANDLE_COLUMNS, BoolArray, Candles
from quorate.market.columns import Columns, differs
from quorate.market.exchange.exchange_source import as_candles
from quorate.market.exchange.feed_log import FeedLog
from quorate.market.exchange.live_windows import LiveWindow
from quorate.market.quality.plausibility import excess, judge, limit

#: Symbol, start and end in ms UTC -> mark prices, unfiltered.
ReadMarks = Callable[[str, int, int], Awaitable[Candles]]


class LivePrices:
    """Prices that can be believed, by the limits of a spike (`market.quality.plausibility`).

    A price beyond them is believed where the mark price agrees with it. Otherwise a closed candle waits for the next
    one, and an open for another response or the next bar.

    Args:
        timeframe: of the candles.
        read_marks: reads mark prices; raises `ExchangeError` or `CandleError`, and returns none where there are none.
        log: for prices that are not believed.
        settings: limits of a spike; None for the defaults.
    """

    def __init__(
        self, timeframe: str, read_marks: ReadMarks, log: FeedLog, settings: QualitySettings | None = None
    ) -> None:
        self._timeframe, self._length = timeframe, timeframe_ms(timeframe)
        self._read_marks, self._log = read_marks, log
        self._settings = settings or QualitySettings()

    async def believed(self, window: LiveWindow, rows: Columns) -> tuple[Columns, CandleError | None]:
        """The closed rows that can be believed, and an error about the newest one where it cannot yet.

        Args:
            window: of the market, before these rows.
            rows: closed, checked, sorted and without duplicates.
        """
        known = window.columns()
        changed = np.flatnonzero(_is_new(known, rows))
        if not len(changed):
            return rows, None
        first = int(changed[0])
        new = rows.take(np.arange(first, len(rows)))
        judged = judge(known.take(known.time < new.time[0]), new, self._timeframe, self._settings)
        kept = np.ones(len(rows), dtype=np.bool_)
        error = None
        for row in np.flatnonzero(~judged.believed).tolist():
            time = int(new.time[row])
            if await self._marked(window.symbol, new, row, limit(known.close, 1, self._settings)):
                continue
            kept[first + row] = False
            text = f"the candle of {window.symbol} at {format_ms(time)} is not believed: {_values(new, row)}"
            self._log.doubtful(window.symbol, time, text)
            if judged.doubtful[row] and time > (window.newest or 0):
                error = CandleError(
                    f"believe the newest candle of {window.symbol}",
                    found=f"{_values(new, row)} at {format_ms(time)}",
                    expected="prices near those of the bar before, or of the mark price",
                    remedy="It is used once the next bar or the mark price agrees.",
                )
        return rows.take(kept), error

    def is_doubtful(self, window: LiveWindow, time: int) -> bool:
        """Whether the open of the running bar at `time` is beyond the limits from the last believed candle."""
        price, last = window.open_of(time), window.last_before(time)
        if price is None or last is None or window.holds(time):
            return False
        return self._is_far(window, time, price)

    async def confirmed(self, window: LiveWindow, time: int) -> float | None:
        """The doubtful open of the bar at `time` where the mark price agrees with it; None, and logged, where not."""
        price, last = window.open_of(time), window.last_before(time)
        if price is None or last is None:
            return None
        one = np.array([price])
        rows = Columns(np.array([time]), one, one, one, one, np.zeros(1))
        if await self._marked(window.symbol, rows, 0, limit(window.columns().close, 1, self._settings)):
            return price
        text = (
            f"the open {price:.8g} of {window.symbol} at {format_ms(time)} is not believed after a close of {last:.8g}"
        )
        self._log.doubtful(window.symbol, time, text)
        return None

    def marks(self, window: LiveWindow, marks: Candles) -> Candles:
        """The mark prices that do not exceed the market's own candles by the limits; the others are unknown."""
        candles = window.columns()
        kept = np.ones(len(marks), dtype=np.bool_)
        for row, time in enumerate(marks.time.tolist()):
            at = int(np.searchsorted(candles.time, time))
            if at < len(candles) and int(candles.time[at]) == time:
                high, low = float(candles.high[at]), float(candles.low[at])
            elif time in window.opens:
                high = low = window.opens[time]
            else:
                continue
            beyond = excess(float(marks.high[row]), float(marks.low[row]), high, low)
            if beyond > self._settings.spike and beyond > limit(candles.close, 1, self._settings):
                kept[row] = False
                text = f"the mark price {marks.close[row]:.8g} of {window.symbol} at {format_ms(time)} is not believed"
                self._log.doubtful(window.symbol, time, text)
        return marks if kept.all() else _taken(marks, kept)

    def _is_far(self, window: LiveWindow, time: int, price: float) -> bool:
        candles = window.columns()
        rows = int(np.searchsorted(candles.time, time))
        last = float(candles.close[rows - 1])
        beyond, bars = excess(price, price, last, last), (time - int(candles.time[rows - 1])) // self._length
        return beyond > self._settings.spike and beyond > limit(candles.close[:rows], bars, self._settings)

    async def _marked(self, symbol: str, rows: Columns, row: int, most: float) -> bool:
        """Whether the mark price of the same bar agrees with a row."""
        time = int(rows.time[row])
        try:
            marks = await self._read_marks(symbol, time, time + self._length)
        except (ExchangeError, CandleError):
            return False
        at = np.flatnonzero(marks.time == time)
        if not len(at):
            return False
        high, low = float(marks.high[at[0]]), float(marks.low[at[0]])
        return excess(float(rows.high[row]), float(rows.low[row]), high, low) <= most


def _is_new(known: Columns, rows: Columns) -> BoolArray:
    """(n,) bool, rows that are not among the known ones, or with other values."""
    if not len(known):
        return np.ones(len(rows), dtype=np.bool_)
    at = np.minimum(np.searchsorted(known.time, rows.time), len(known) - 1)
    new: BoolArray = known.time[at] != rows.time
    for name in CANDLE_COLUMNS:
        new |= differs(getattr(known, name)[at], getattr(rows, name))
    return new


def _values(rows: Columns, row: int) -> str:
    return f"high {rows.high[row]:.8g}, low {rows.low[row]:.8g}, close {rows.close[row]:.8g}"


def _taken(marks: Candles, kept: BoolArray) -> Candles:
    columns = Columns(marks.time, *(getattr(marks, name) for name in CANDLE_COLUMNS)).take(kept)
    return as_candles(marks.symbol, marks.timeframe, columns)
