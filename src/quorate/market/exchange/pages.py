"""Paginated reads of candles and settlements, as columns; each page is checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from quorate.core.clock import HOUR_MS, timeframe_ms
from quorate.core.types import FloatArray, IntArray
from quorate.core.types.candle_frame import NO_TIME
from quorate.market.columns import Columns, FundingColumns, join
from quorate.market.exchange.connection import Connection
from quorate.market.quality.candle_checks import check_candles, check_funding

# Empty pages before the end of the span after which the rest is taken as empty.
_EMPTY_PAGES = 2

_MOST_FUNDING = 1000

# Longest interval between settlements: nearer to the end there are none.
_FUNDING_INTERVAL_MS = 8 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Present:
    """Current time by the local clock and the exchange's, in ms UTC.

    Attributes:
        early: the earlier of the two, by which a bar is closed.
        late: the later of the two, by which a bar is in the future.
    """

    early: int
    late: int


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
    once: bool = False,
) -> Columns:
    """Read the rows that open at or after `start` and before `end`, in the exchange's order, with the bar not closed.

    Args:
        connection: to the exchange.
        symbol: the market.
        timeframe: of the candles.
        start: in ms UTC, inclusive.
        end: in ms UTC, exclusive.
        present: returns the current time by both clocks.
        mark: read mark prices.
        attempts: per page; None for the settings'.
        once: end after a page that is not full, for callers that poll.

    Raises:
        CandleError: invalid rows on every attempt.
        ExchangeError: no response, an invalid one, or a refusal.
    """
    length = timeframe_ms(timeframe)
    what = f"read {timeframe} {'mark prices' if mark else 'candles'} of {symbol} from {connection.settings.name}"
    options = {"price": "mark"} if mark else {}
    parts, cursor, empty = [_candles([])], start, 0
    while cursor < end and empty < _EMPTY_PAGES:
        rows = min(connection.settings.page_rows, (end - cursor - 1) // length + 2)

        async def request(since: int = cursor, limit: int = rows) -> Columns:
            page = _candles(await connection.client.fetch_ohlcv(symbol, timeframe, since, limit, dict(options)))
            check_candles(page, timeframe, present().late, has_volume=not mark).report.require(symbol)
            return page

        page = await connection.read(what, request, attempts)
        if not len(page) or int(page.time.max()) < cursor:
            empty += _EMPTY_PAGES if once else 1
            continue
        cursor = int(page.time.max()) + length
        parts.append(page.take((page.time >= start) & (page.time < end)))
        if once and len(page) < rows:
            break
    return join(parts)


async def read_funding(
    connection: Connection,
    symbol: str,
    start: int,
    end: int,
    present: Callable[[], Present],
    *,
    attempts: int | None = None,
) -> FundingColumns:
    """Read the settlements at or after `start` and before `end`, in the exchange's order; errors as `read_candles`."""
    what = f"read funding of {symbol} from {connection.settings.name}"
    parts, cursor, empty = [_funding([])], start, 0
    while cursor < min(end, present().late) and empty < _EMPTY_PAGES:

        async def request(since: int = cursor) -> FundingColumns:
            page = _funding(await connection.client.fetch_funding_rate_history(symbol, since, _MOST_FUNDING))
            check_funding(page, present().late).report.require(f"funding of {symbol}")
            return page

        page = await connection.read(what, request, attempts)
        if not len(page) or int(page.time.max()) < cursor:
            empty += 1
            continue
        cursor = int(page.time.max()) + 1
        wanted = (page.time >= start) & (page.time < end)
        parts.append(FundingColumns(page.time[wanted], page.rate[wanted]))
        if cursor > min(end, present().late) - _FUNDING_INTERVAL_MS:
            break
    times, rates = [part.time for part in parts], [part.rate for part in parts]
    return FundingColumns(np.concatenate(times), np.concatenate(rates))


def _candles(rows: Any) -> Columns:
    opened, high, low, close, volume = (_numbers([row[at] for row in rows]) for at in range(1, 6))
    return Columns(_times([row[0] for row in rows]), opened, high, low, close, volume)


def _funding(rows: Any) -> FundingColumns:
    return FundingColumns(_times([row["timestamp"] for row in rows]), _numbers([row["fundingRate"] for row in rows]))


def _times(values: list[Any]) -> IntArray:
    """Integer milliseconds in range; anything else becomes `NO_TIME`, which the checks reject."""
    whole = [value if isinstance(value, int) and 0 < value < 2**62 else NO_TIME for value in values]
    return np.array(whole, dtype=np.int64)


def _numbers(values: list[Any]) -> FloatArray:
    return np.array([value if isinstance(value, int | float) else np.nan for value in values], dtype=np.float64)
