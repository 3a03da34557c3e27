"""Requests for market statistics: what each gives, how far back, and its rows on the grid of their intervals.

Open interest and the ratio of all accounts are read by ccxt's unified methods. ccxt has none for the ratios of the top
accounts, nor for the taker volumes in Binance's candles: these are requests of Binance's own. Formats:
https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api

`takerlongshortRatio` is not read: it repeats what candles say of the volumes, for 30 days only, and its page leaves
open whether a stamp begins or ends its interval.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from quorate.core.clock import DAY_MS, HOUR_MS, timeframe_ms
from quorate.core.types import IntArray
from quorate.market.exchange.exchange_source import Exchange
from quorate.market.files.names import is_perpetual
from quorate.market.statistics.checks import StatisticRows

#: Length of the intervals of open interest and ratios: that of the public archives, so that both share a file.
INTERVALS = "5m"

# Binance keeps these for 30 days and refuses an earlier start; an hour less, since its clock goes on meanwhile.
_KEPT_MS = 30 * DAY_MS - HOUR_MS

# Most rows of a page of open interest and ratios.
_PAGE_ROWS = 500

# (exchange, symbol, timeframe, first and last ms, most rows) -> rows of the response
_Request = Callable[[Exchange, str, str, int, int, int], Awaitable[Sequence[Any]]]


@dataclass(frozen=True, slots=True)
class StatisticFeed:
    """One kind of request for market statistics.

    Attributes:
        label: what it gives, for messages.
        names: the statistics.
        timeframe: length of its intervals; None for that of the candles.
        kept_ms: how far back the exchange gives it; None for the whole history.
        request: requests a page.
        parse: row of the response -> its time in ms, and a value for each of `names`.
    """

    label: str
    names: tuple[str, ...]
    timeframe: str | None
    kept_ms: int | None
    request: _Request
    parse: Callable[[Any], tuple[Any, ...]]

    async def page(self, exchange: Exchange, symbol: str, timeframe: str, start: int, rows: int) -> StatisticRows:
        """Read the intervals that begin at `start` or in the `rows` intervals from then on, unchecked.

        Raises:
            ExchangeError: no response, an invalid one, or a refusal.
        """
        length = timeframe_ms(timeframe)
        end = start + rows * length

        async def request() -> StatisticRows:
            found = await self.request(exchange, symbol, timeframe, start, end - 1, rows)
            if not isinstance(found, list):
                raise TypeError(f"{str(found)[:60]!r} instead of rows")
            parsed = [self.parse(row) for row in found]
            time = np.array([_whole(row[0]) // length * length for row in parsed], np.int64)
            values = {
                name: np.array([_number(row[place]) for row in parsed], np.float64)
                for place, name in enumerate(self.names, 1)
            }
            page = StatisticRows(time, values)
            return page.take(_inside(time, start, end))

        what = f"read {self.label} of {symbol} from {exchange.settings.name}"
        return await exchange.connection.read(what, request)

    def page_rows(self, exchange: Exchange) -> int:
        """Most rows of a page."""
        return _PAGE_ROWS if self.timeframe is not None else exchange.settings.page_rows


def feeds_of(exchange: Exchange, symbol: str) -> tuple[StatisticFeed, ...]:
    """Requests for market statistics that an exchange answers for a market; none for spot."""
    if not is_perpetual(symbol):
        return ()
    has: Mapping[str, Any] = exchange.connection.client.has
    binance = exchange.settings.name.startswith("binance")
    kept = _KEPT_MS if binance else None
    found = []
    if has.get("fetchOpenInterestHistory"):
        interest = ("open_interest", "open_interest_usd")
        found.append(StatisticFeed("open interest", interest, INTERVALS, kept, _open_interest, _interest_row))
    if has.get("fetchLongShortRatioHistory"):
        accounts = ("long_short_accounts",)
        found.append(StatisticFeed("long/short ratios", accounts, INTERVALS, kept, _accounts, _ratio_row))
    if binance:
        for label, name, method in (
            ("top accounts' long/short ratios", "long_short_top_accounts", "fapiDataGetTopLongShortAccountRatio"),
            ("top positions' long/short ratios", "long_short_top_positions", "fapiDataGetTopLongShortPositionRatio"),
        ):
            found.append(StatisticFeed(label, (name,), INTERVALS, kept, _top(method), _ratio_row))
        volumes = ("taker_buy_volume", "taker_sell_volume")
        found.append(StatisticFeed("taker volumes", volumes, None, None, _klines, _taker_row))
    if has.get("fetchPremiumIndexOHLCV"):
        found.append(StatisticFeed("the premium index", ("premium",), None, None, _premium, _close_row))
    return tuple(found)


async def _open_interest(exchange: Exchange, symbol: str, timeframe: str, first: int, last: int, rows: int) -> Any:
    client = exchange.connection.client
    return await client.fetch_open_interest_history(symbol, timeframe, first, rows, {"until": last})


async def _accounts(exchange: Exchange, symbol: str, timeframe: str, first: int, last: int, rows: int) -> Any:
    client = exchange.connection.client
    return await client.fetch_long_short_ratio_history(symbol, timeframe, first, rows, {"until": last})


def _top(method: str) -> _Request:
    async def request(exchange: Exchange, symbol: str, timeframe: str, first: int, last: int, rows: int) -> Any:
        query = {"symbol": exchange.markets[symbol]["id"], "period": timeframe}
        span = {"startTime": first, "endTime": last, "limit": rows}
        return await getattr(exchange.connection.client, method)({**query, **span})

    return request


async def _klines(exchange: Exchange, symbol: str, timeframe: str, first: int, last: int, rows: int) -> Any:
    query = {"symbol": exchange.markets[symbol]["id"], "interval": timeframe}
    span = {"startTime": first, "endTime": last, "limit": rows}
    return await exchange.connection.client.fapiPublicGetKlines({**query, **span})


async def _premium(exchange: Exchange, symbol: str, timeframe: str, first: int, last: int, rows: int) -> Any:
    options = {"price": "premiumIndex", "until": last}
    return await exchange.connection.client.fetch_ohlcv(symbol, timeframe, first, rows, options)


def _interest_row(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["timestamp"], row["openInterestAmount"], row["openInterestValue"]


def _ratio_row(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["timestamp"], row["longShortRatio"]


def _close_row(row: Sequence[Any]) -> tuple[Any, ...]:
    return row[0], row[4]


def _taker_row(row: Sequence[Any]) -> tuple[Any, ...]:
    volume, bought = float(row[5]), float(row[9])
    return row[0], bought, max(0.0, volume - bought)


def _whole(value: Any) -> int:
    """A time in ms.

    Raises:
        ValueError: none.
    """
    found = int(value)
    if not 0 < found < 2**62:
        raise ValueError(f"{value!r} as a time")
    return found


def _number(value: Any) -> float:
    """A number; NaN where the exchange gives none.

    Raises:
        ValueError: anything else.
    """
    return math.nan if value in (None, "") else float(value)


def _inside(time: IntArray, start: int, end: int) -> Any:
    return (time >= start) & (time < end)
