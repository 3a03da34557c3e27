"""Read of a history of candles that believes no page.

Exchanges limit their answers in different ways: to a number of bars after `since`, to the newest bars of a window, or
to the newest bars of the market whatever `since` says. A window without a trade, before a listing or inside a halt, is
an empty page on some and the next bars on others. The history is therefore read window by window to its end, and what
a page leaves out at its beginning is asked for again. Bars of a longer timeframe then tell a market that did not trade,
which is no error, from bars that the exchange does not give.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from quorate.core.clock import DAY_MS, bar_offset_ms, timeframe_ms
from quorate.core.errors import ExchangeRefusedError
from quorate.core.types import IntArray
from quorate.market.columns import NO_ROWS, Columns, join
from quorate.market.exchange.paging.pages import CandlePages

_LOG = logging.getLogger(__name__)

Span = tuple[int, int]

# Longest bars that are compared: over a month, bars are of different lengths.
_LONGEST_MS = 7 * DAY_MS

# Bars of a longer timeframe that it should at least contain, so that few of its pages cover the history.
_LEAST_RATIO = 6


@dataclass(frozen=True, slots=True)
class CandleWalk:
    """Rows of a history.

    Attributes:
        rows: in the exchange's order, possibly with duplicates.
        withheld: spans in which the market traded, by bars of a longer timeframe, of which the exchange gives no bars:
            start and exclusive end in ms UTC, ascending.
    """

    rows: Columns
    withheld: tuple[Span, ...]


async def walk_candles(pages: CandlePages, start: int, end: int, *, listed: int | None = None) -> CandleWalk:
    """Read the rows that open at or after `start` and before `end`.

    Args:
        pages: of the market.
        start: in ms UTC, inclusive.
        end: in ms UTC, exclusive.
        listed: listing date in ms UTC; None if unknown.

    Raises:
        CandleError: invalid rows on every attempt.
        ExchangeError: no response, an invalid one, or a refusal.
    """
    walk = _Walk(pages, end, listed, _LongerBars(pages, end))
    await walk.run(start)
    return CandleWalk(walk.rows(), joined_spans(walk.withheld))


def joined_spans(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Sort spans and join those that touch.

    >>> joined_spans([(5, 8), (1, 3), (3, 4)])
    ((1, 4), (5, 8))
    """
    joined: list[Span] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], last)
        else:
            joined.append((first, last))
    return tuple(joined)


class _Walk:
    """State of one read; without longer bars what is missing is not looked for."""

    def __init__(self, pages: CandlePages, end: int, listed: int | None, longer: _LongerBars | None) -> None:
        self.pages = pages
        self.end = end
        self.listed = listed
        self.length = timeframe_ms(pages.timeframe)
        self.parts: list[Columns] = []
        self.limit = pages.connection.settings.page_rows
        self.largest_page = 0
        self.empty_from: int | None = None  # the first of the empty windows before the cursor
        self.withheld: list[Span] = []
        self._longer = longer

    def rows(self) -> Columns:
        """All rows that were read."""
        return join([NO_ROWS, *self.parts])

    async def run(self, start: int) -> None:
        offset = bar_offset_ms(self.pages.timeframe)
        cursor = -(-(start - offset) // self.length) * self.length + offset
        asked_twice = False
        while cursor < self.end:
            times, asked = await self._page(cursor, self.end)
            if len(times):
                cursor = await self._after(cursor, times, asked)
            elif not asked_twice:
                asked_twice = True  # some exchanges answer with an empty page when they are busy
                continue
            else:
                self.empty_from = cursor if self.empty_from is None else self.empty_from
                cursor = await self._skip(cursor, cursor + asked * self.length)
            asked_twice = False
        if self.empty_from is not None:
            await self._compare(self.empty_from, self.end)

    async def _page(self, since: int, end: int) -> tuple[IntArray, int]:
        """Read a page and keep its rows before the end.

        Returns:
            Its open times from `since` on, sorted, without duplicates, and the number of rows that were asked for.
        """
        asked = min(self.limit, (end - since - 1) // self.length + 2)
        page = await self.pages.read(since, asked)
        kept = page.take((page.time >= since) & (page.time < self.end))
        if len(kept):
            self.parts.append(kept)
        return np.unique(page.time[page.time >= since]), asked

    async def _after(self, cursor: int, times: IntArray, asked: int) -> int:
        """Where to go on after a page with rows, once what it leaves out at its beginning is known."""
        first = min(int(times[0]), self.end)
        if first > cursor or self.empty_from is not None:
            if first > cursor and self.largest_page <= len(times) < asked and await self._was_cut(cursor, first):
                # The page held the newest bars of its window only: ask for as few as it gives.
                self.limit = len(times)
                return cursor
            await self._compare(cursor if self.empty_from is None else self.empty_from, first)
        self.empty_from = None
        self.largest_page = max(self.largest_page, len(times))
        # Rows beyond the window were not asked for: between them and the window others can be missing.
        window_end = (first if first >= cursor + asked * self.length else cursor) + asked * self.length
        inside = times[times < min(window_end, self.end)]
        return int(inside[-1]) + self.length if len(inside) else self.end

    async def _was_cut(self, cursor: int, first: int) -> bool:
        """Whether the exchange has rows before the first one of a page."""
        times, _ = await self._page(cursor, first - self.length)
        return len(times) > 0 and int(times[0]) < first

    async def _skip(self, cursor: int, window_end: int) -> int:
        """Where to go on after an empty window: where the market traded next."""
        if self._longer is not None:
            await self._longer.read(cursor, self.end)
        following = None if self._longer is None else await self._longer.next_after(window_end)
        if following is None:
            return window_end
        offset = bar_offset_ms(self.pages.timeframe)
        return max(window_end, -(-(following - offset) // self.length) * self.length + offset)

    async def _compare(self, first: int, last: int) -> None:
        """Note as withheld what lies between bars of a longer timeframe in a span without rows, and its end."""
        if self._longer is None or (self.listed is not None and last <= self.listed + self.length):
            return
        traded = await self._longer.first_within(first, last)
        if traded is not None:
            self.withheld.append((traded, last))


class _LongerBars:
    """Bars of a longer timeframe, read where the history has none."""

    def __init__(self, pages: CandlePages, end: int) -> None:
        timeframe = _longer_timeframe(pages)
        self.pages = None if timeframe is None else replace(pages, timeframe=timeframe, checked=False)
        self.length = 0 if timeframe is None else timeframe_ms(timeframe)
        self.end = end
        self.times = np.zeros(0, dtype=np.int64)  # open times of bars with trades
        self.known: Span = (0, 0)

    async def first_within(self, first: int, last: int) -> int | None:
        """Open time of the first bar with trades that lies within a span; None without one."""
        if last - first < self.length:
            return None
        await self.read(first, last)
        within = self.times[(self.times >= first) & (self.times + self.length <= last)]
        return int(within[0]) if len(within) else None

    async def next_after(self, moment: int) -> int | None:
        """Open time of the first bar with trades that ends after a time; the end without one; None if unknown."""
        await self.read(moment, self.end)
        if self.pages is None:
            return None
        later = self.times[self.times + self.length > moment]
        return int(later[0]) if len(later) else self.end

    async def read(self, first: int, last: int) -> None:
        """Read the bars that end after `first` and open before `last`, where they are not known."""
        first = max(1, first - self.length)
        if self.pages is None or (self.known[0] <= first and last <= self.known[1]):
            return
        walk = _Walk(self.pages, last, None, None)
        try:
            await walk.run(first)
        except ExchangeRefusedError as error:
            _LOG.warning(
                "%s: without %s bars, what the exchange withholds cannot be told from bars without a trade: %s",
                *(self.pages.symbol, self.pages.timeframe, error),
            )
            self.pages = None
            return
        rows = walk.rows()
        traded = np.isfinite(rows.close) & (self.pages.mark | (rows.volume > 0))
        self.times = np.unique(np.concatenate([self.times, rows.time[traded]]))
        self.known = (first, last)


def _longer_timeframe(pages: CandlePages) -> str | None:
    """Timeframe of the longer bars: the shortest with at least six times the length, at least a day if there is one."""
    length = timeframe_ms(pages.timeframe)
    names = [name for name in pages.connection.client.timeframes or () if name[-1:] in "mhdw"]
    known = {name: timeframe_ms(name) for name in names}
    longer = [name for name, ms in known.items() if _LEAST_RATIO * length <= ms <= _LONGEST_MS]
    days = [name for name in longer if known[name] >= DAY_MS]
    return min(days or longer, key=lambda name: known[name], default=None)
