"""Read of a history of settlements that believes no page, as `candle_walk` does with candles."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from quorate.core.clock import HOUR_MS
from quorate.core.errors import ExchangeRefusedError
from quorate.core.types import IntArray
from quorate.market.columns import NO_FUNDING, FundingColumns
from quorate.market.exchange.connection import Connection
from quorate.market.exchange.paging.pages import Present, read_settlements
from quorate.market.quality.funding_gaps import funding_intervals

# Settlements asked for at once. Exchanges give fewer, and some then the newest of a window of as many intervals.
_PAGE_ROWS = 1000

# Longest usual interval between settlements: a page that begins later than this can lack earlier ones.
_INTERVAL_MS = 8 * HOUR_MS

# Shortest interval: an empty page of n rows covers at least n times this.
_SHORTEST_MS = HOUR_MS


async def walk_funding(
    connection: Connection, symbol: str, start: int, end: int, present: Callable[[], Present]
) -> FundingColumns:
    """Read the settlements at or after `start` and before `end`, in no order, possibly with duplicates.

    Raises:
        CandleError: invalid rows on every attempt.
        ExchangeError: no response, an invalid one, or a refusal.
    """
    walk = _Walk(connection, symbol, present, end)
    await walk.run(start)
    parts = [NO_FUNDING, *walk.parts]
    return FundingColumns(np.concatenate([part.time for part in parts]), np.concatenate([part.rate for part in parts]))


class _Walk:
    """State of one read."""

    def __init__(self, connection: Connection, symbol: str, present: Callable[[], Present], end: int) -> None:
        self.connection = connection
        self.symbol = symbol
        self.present = present
        self.end = end
        self.limit = _PAGE_ROWS
        self.largest_page = 0
        self.parts: list[FundingColumns] = []

    async def run(self, start: int) -> None:
        cursor, asked_twice = start, False
        interval = _INTERVAL_MS
        while cursor < min(self.end, self.present().late):
            times, asked = await self._page(cursor)
            if len(times):
                inside = times[times < self.end]
                interval = min(_INTERVAL_MS, self._interval(times, interval))
                if not await self._fill(cursor, times, asked, interval):
                    continue
                if not len(inside):
                    return  # the next settlements after `cursor` come after the end
                cursor = int(inside[-1]) + 1
                if cursor > min(self.end, self.present().late) - interval:
                    return  # the next settlement is not due yet
            elif not asked_twice:
                asked_twice = True  # some exchanges answer with an empty page when they are busy
                continue
            else:
                cursor += asked * _SHORTEST_MS
                continue  # twice is asked only at the first of several empty windows
            asked_twice = False

    async def _page(self, since: int, until: int | None = None) -> tuple[IntArray, int]:
        """Read a page and keep its rows before the end.

        Returns:
            Its times from `since` on, sorted, without duplicates, and the number of rows that were asked for.
        """
        asked = min(self.limit, (self.end - since) // _SHORTEST_MS + 2)
        page = await read_settlements(self.connection, self.symbol, since, asked, self.present, until)
        kept = (page.time >= since) & (page.time < self.end)
        if kept.any():
            self.parts.append(FundingColumns(page.time[kept], page.rate[kept]))
        return np.unique(page.time[page.time >= since]), asked

    async def _fill(self, cursor: int, times: IntArray, asked: int, interval: int) -> bool:
        """Read what a page left out at its beginning; False if it must be read again with fewer rows."""
        largest, self.largest_page = self.largest_page, max(self.largest_page, len(times))
        first = int(times[0])
        if first - cursor < interval or len(times) < min(largest, asked):
            return True
        first = await self._backwards(cursor, first, interval)
        if first - cursor < interval or len(times) >= asked:
            return True
        # Exchanges that do not support an end: windows of as many rows as they give.
        limit, self.limit = self.limit, len(times)
        earlier, _ = await self._page(cursor)
        if len(earlier) and int(earlier[0]) < first:
            self.largest_page = 0
            return False
        self.limit = limit
        return True

    async def _backwards(self, cursor: int, first: int, interval: int) -> int:
        """Read pages that end before a settlement, towards the cursor; the earliest settlement found."""
        while first - cursor >= interval:
            try:
                times, _ = await self._page(cursor, first - 1)
            except ExchangeRefusedError:  # an exchange that knows no end of a page
                return first
            earlier = times[times < first]
            if not len(earlier):
                return first
            first = int(earlier[0])
        return first

    def _interval(self, times: IntArray, otherwise: int) -> int:
        return int(funding_intervals(times)[0]) if len(times) > 1 else otherwise
