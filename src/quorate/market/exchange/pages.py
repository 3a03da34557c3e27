"""Page after page of candles and settlements, as columns. Every page is judged before it is believed."""

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
from quorate.market.quality.candle_checks import judge, judge_funding

# An empty page before the end is believed once it has come twice.
_BELIEVED_EMPTY = 2

_MOST_FUNDING = 1000

# No exchange settles less often: nearer to the end there is nothing to ask for.
_FUNDING_INTERVAL_MS = 8 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Present:
    """The present by two clocks, in ms UTC: what neither can deny, and what either may claim.

    A bar is closed when it is so by the earlier clock, and in the future when it is so by the later one.
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
    """Rows that open at or after `start` and before `end`, the running one with them, in the exchange's order.

    A page that is not full is followed by another request, unless `once` says that whoever asks will ask again.

    Raises:
        CandleError: rows that cannot be true, each time.
        ExchangeError: no answer, none that makes sense, or a refusal.
    """
    length = timeframe_ms(timeframe)
    what = f"ask {connection.settings.name} for {timeframe} {'mark prices' if mark else 'candles'} of {symbol}"
    options = {"price": "mark"} if mark else {}
    parts, cursor, empty = [_candles([])], start, 0
    while cursor < end and empty < _BELIEVED_EMPTY:
        rows = min(connection.settings.page_rows, (end - cursor - 1) // length + 2)

        async def ask(since: int = cursor, limit: int = rows) -> Columns:
            page = _candles(await connection.client.fetch_ohlcv(symbol, timeframe, since, limit, dict(options)))
            judge(page, timeframe, present().late, has_volume=not mark).report.require(f"{symbol}, asked for now")
            return page

        page = await connection.read(what, ask, attempts)
        if not len(page) or int(page.time.max()) < cursor:
            empty += _BELIEVED_EMPTY if once else 1
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
    """Settlements at or after `start` and before `end`, in the exchange's order; errors as `read_candles`."""
    what = f"ask {connection.settings.name} for the funding of {symbol}"
    parts, cursor, empty = [_funding([])], start, 0
    while cursor < min(end, present().late) and empty < _BELIEVED_EMPTY:

        async def ask(since: int = cursor) -> FundingColumns:
            page = _funding(await connection.client.fetch_funding_rate_history(symbol, since, _MOST_FUNDING))
            judge_funding(page, present().late).report.require(f"the funding of {symbol}, asked for now")
            return page

        page = await connection.read(what, ask, attempts)
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
    """Whole milliseconds that a calendar could have; anything else is no time, which the judge refuses."""
    whole = [value if isinstance(value, int) and 0 < value < 2**62 else NO_TIME for value in values]
    return np.array(whole, dtype=np.int64)


def _numbers(values: list[Any]) -> FloatArray:
    return np.array([value if isinstance(value, int | float) else np.nan for value in values], dtype=np.float64)
