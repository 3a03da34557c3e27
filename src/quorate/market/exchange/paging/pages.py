"""Requests for single pages of candles and settlements, as columns; each page is checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from quorate.core.clock import bar_offset_ms, timeframe_ms
from quorate.core.errors import CandleError
from quorate.core.types import FloatArray, IntArray
from quorate.core.types.times import NO_TIME
from quorate.market.columns import NO_ROWS, Columns, FundingColumns, join
from quorate.market.exchange.connection import Connection
from quorate.market.exchange.paging.volume_units import base_volume
from quorate.market.quality.candle_checks import check_candles, check_funding


@dataclass(frozen=True, slots=True)
class Present:
    """Current time by the local clock and the exchange's, in ms UTC.

    Attributes:
        early: the earlier of the two, by which a bar is closed.
        late: the later of the two, by which a bar is in the future.
    """

    early: int
    late: int


@dataclass(frozen=True, slots=True)
class CandlePages:
    """Requests for pages of one market's candles.

    Attributes:
        connection: to the exchange.
        symbol: the market.
        timeframe: of the candles.
        present: returns the current time by both clocks.
        mark: read mark prices.
        attempts: per page; None for the settings'.
        checked: refuse invalid rows; False for rows that are only looked at.
    """

    connection: Connection
    symbol: str
    timeframe: str
    present: Callable[[], Present]
    mark: bool = False
    attempts: int | None = None
    checked: bool = True

    async def read(self, since: int, limit: int) -> Columns:
        """Read a page: the rows of the exchange's answer, in its order, with the bar not closed.

        Volume is in base units.

        Args:
            since: open time of the first row, in ms UTC.
            limit: number of rows.

        Raises:
            CandleError: invalid rows on every attempt, or bars that open at other times than this timeframe's.
            ExchangeError: no response, an invalid one, or a refusal.
        """
        client, name = self.connection.client, self.connection.settings.name
        kind = "mark prices" if self.mark else "candles"
        what = f"read {self.timeframe} {kind} of {self.symbol} from {name}"

        async def request() -> Columns:
            options = {"price": "mark"} if self.mark else {}
            rows = await client.fetch_ohlcv(self.symbol, self.timeframe, since, limit, options)
            page = _candles(rows, name, {} if self.mark else client.market(self.symbol))
            if self.checked and not _has_other_phase(page.time, self.timeframe):
                late = self.present().late
                check_candles(page, self.timeframe, late, has_volume=not self.mark).report.require(self.symbol)
            return page

        page = await self.connection.read(what, request, self.attempts)
        if self.checked and _has_other_phase(page.time, self.timeframe):
            raise _other_phase(what, name, int(page.time[0]), self.timeframe)  # which a second attempt does not change
        return page


async def read_candles(
    connection: Connection,
    symbol: str,
    timeframe: str,
    start: int,
    end: int,
    present: Callable[[], Present],
    *,
    mark: bool = False,
    attempts: int | None = None,
) -> Columns:
    """Read the newest rows, for callers that poll: `start` inclusive, `end` exclusive, with the bar not closed.

    Ends with the first page that is not full. `walk_candles` reads a history.

    Raises:
        CandleError: invalid rows on every attempt.
        ExchangeError: no response, an invalid one, or a refusal.
    """
    length = timeframe_ms(timeframe)
    pages = CandlePages(connection, symbol, timeframe, present, mark, attempts)
    parts, cursor = [NO_ROWS], start
    while cursor < end:
        limit = min(connection.settings.page_rows, (end - cursor - 1) // length + 2)
        page = await pages.read(cursor, limit)
        if not len(page) or int(page.time.max()) < cursor:
            break
        cursor = int(page.time.max()) + length
        parts.append(page.take((page.time >= start) & (page.time < end)))
        if len(page) < limit:
            break
    return join(parts)


async def read_settlements(
    connection: Connection,
    symbol: str,
    since: int,
    limit: int,
    present: Callable[[], Present],
    until: int | None = None,
) -> FundingColumns:
    """Read a page of settlements, in the exchange's order; errors as `CandlePages.read`.

    Args:
        connection: to the exchange.
        symbol: the market.
        since: time of the first row, in ms UTC.
        limit: number of rows.
        present: returns the current time by both clocks.
        until: time of the last row, in ms UTC; not every exchange supports it.
    """
    options = {} if until is None else {"until": until}

    async def request() -> FundingColumns:
        found = await connection.client.fetch_funding_rate_history(symbol, since, limit, dict(options))
        page = _funding(found)
        check_funding(page, present().late).report.require(f"funding of {symbol}")
        return page

    return await connection.read(f"read funding of {symbol} from {connection.settings.name}", request)


def _has_other_phase(time: IntArray, timeframe: str) -> bool:
    """Whether all bars are a whole number of bars apart but off the grid, such as weeks from Thursday."""
    if len(time) < 2 or int(time.min()) <= 0:
        return False
    phases = np.unique((time - bar_offset_ms(timeframe)) % timeframe_ms(timeframe))
    return len(phases) == 1 and bool(phases[0] != 0)


def _other_phase(what: str, exchange: str, time: int, timeframe: str) -> CandleError:
    weeks = timeframe.endswith("w")
    try:
        moment = datetime.fromtimestamp(time / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        when = f"{time} ms"
    else:
        when = f"{moment:%A %H:%M} UTC" if weeks else f"{moment:%Y-%m-%d %H:%M} UTC"
    return CandleError(
        what,
        found=f"bars that open on {when}" if weeks else f"a bar that opens at {when}",
        expected="weeks that open on Monday 00:00 UTC"
        if weeks
        else f"bars that open a whole multiple of {timeframe} after 1970-01-01 00:00 UTC",
        remedy=f"{timeframe} bars of {exchange} are not supported: choose a shorter timeframe, such as 1d.",
    )


def _candles(rows: Any, exchange: str, market: Any) -> Columns:
    opened, high, low, close, volume = (_numbers([row[at] for row in rows]) for at in range(1, 6))
    with np.errstate(all="ignore"):
        volume = base_volume(exchange, market, volume, close)
    return Columns(_times([row[0] for row in rows]), opened, high, low, close, volume)


def _funding(rows: Any) -> FundingColumns:
    return FundingColumns(_times([row["timestamp"] for row in rows]), _numbers([row["fundingRate"] for row in rows]))


def _times(values: list[Any]) -> IntArray:
    """Integer milliseconds in range; anything else becomes `NO_TIME`, which the checks reject."""
    whole = [value if isinstance(value, int) and 0 < value < 2**62 else NO_TIME for value in values]
    return np.array(whole, dtype=np.int64)


def _numbers(values: list[Any]) -> FloatArray:
    return np.array([value if isinstance(value, int | float) else np.nan for value in values], dtype=np.float64)
