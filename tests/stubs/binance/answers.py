"""Responses of each endpoint, as in the exchange's documentation."""

from __future__ import annotations

from typing import Any

import numpy as np

from stubs.binance.clock import Clock
from stubs.binance.series import Folder, Market, Rows, length_ms, lot, tick
from stubs.binance.statistics import ENDPOINTS, KEPT_MS, PERIODS, premium_at, statistic_rows, taker_share_at

_DAY_MS = 86_400_000
_MOST = {False: 1000, True: 1500}
_MOST_FUNDING = 1000
_TIMEFRAMES = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M")

Query = dict[str, str]


class RefusedError(Exception):
    """Error response of the exchange: HTTP status, code and message."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        self.document = {"code": code, "msg": message}


class Answers:
    """The endpoints over a folder and a clock."""

    def __init__(self, folder: Folder, clock: Clock) -> None:
        self.folder = folder
        self.clock = clock
        self.delisted: set[str] = set()

    def answer(self, futures: bool, endpoint: str, query: Query) -> Any:
        """Document of one GET request.

        Raises:
            RefusedError: the exchange responds with an error.
        """
        if endpoint == "ping":
            return {}
        if endpoint == "time":
            return {"serverTime": self.clock.reported}
        if endpoint == "exchangeInfo":
            return self._exchange_info(futures)
        if endpoint == "klines":
            return self._klines(futures, "futures" if futures else "spot", query)
        if endpoint == "depth":
            return self._depth(futures, query)
        if endpoint in ("ticker/24hr", "ticker/price", "ticker/bookTicker"):
            return self._tickers(futures, endpoint.partition("/")[2], query)
        if futures and endpoint == "markPriceKlines":
            return self._klines(futures, "mark", query)
        if futures and endpoint == "premiumIndexKlines":
            return self._premium(query)
        if futures and endpoint in ENDPOINTS:
            return self._statistics(endpoint, query)
        if futures and endpoint == "premiumIndex":
            return self._tickers(futures, "premium", query)
        if futures and endpoint == "fundingRate":
            return self._funding(query)
        if futures and endpoint == "leverageBracket":
            return [_brackets(name) for name in sorted(self.folder.markets[True])]
        if futures and endpoint == "fundingInfo":
            return []
        raise RefusedError(-5000, f"Path {endpoint}, Method GET is invalid", 404)

    def _market(self, futures: bool, query: Query) -> Market:
        name = query.get("symbol", "")
        if not name:
            raise RefusedError(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")
        if name not in self.folder.markets[futures] or name in self.delisted:
            raise RefusedError(-1121, "Invalid symbol.")
        return self.folder.markets[futures][name]

    def _exchange_info(self, futures: bool) -> dict[str, Any]:
        names = sorted(self.folder.markets[futures])
        symbols = [self._symbol(futures, self.folder.markets[futures][name]) for name in names]
        document = {"timezone": "UTC", "serverTime": self.clock.reported, "rateLimits": [], "exchangeFilters": []}
        return {**document, "symbols": symbols}

    def _symbol(self, futures: bool, market: Market) -> dict[str, Any]:
        found = self.folder.shortest(futures, market.name)
        rows = found[1] if found else Rows(np.zeros(0, np.int64), np.zeros((0, 5)))
        size, quantity = tick(rows), lot(rows)
        least = "5" if market.quote.upper() not in ("BTC", "ETH") else "0.0001"
        filters = [
            {"filterType": "PRICE_FILTER", "minPrice": size, "maxPrice": "10000000", "tickSize": size},
            {"filterType": "LOT_SIZE", "minQty": quantity, "maxQty": "90000000", "stepSize": quantity},
            {"filterType": "MARKET_LOT_SIZE", "minQty": quantity, "maxQty": "90000000", "stepSize": quantity},
            {"filterType": "MIN_NOTIONAL", "notional": least, "minNotional": least},
        ]
        listed = market.name not in self.delisted
        document: dict[str, Any] = {
            "symbol": market.name,
            "status": "TRADING" if listed else ("SETTLING" if futures else "BREAK"),
            "baseAsset": market.base,
            "quoteAsset": market.quote,
            "baseAssetPrecision": 8,
            "quotePrecision": 8,
            "quoteAssetPrecision": 8,
            "filters": filters,
        }
        if not futures:
            orders = ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"]
            allowed = {"isSpotTradingAllowed": True, "isMarginTradingAllowed": False, "permissions": ["SPOT"]}
            return {**document, "orderTypes": orders, **allowed}
        return {
            **document,
            "pair": market.name,
            "contractType": "PERPETUAL",
            "marginAsset": market.quote,
            "deliveryDate": 4133404800000,
            "onboardDate": self.folder.listed(futures, market.name),
            "pricePrecision": len(size.partition(".")[2]),
            "quantityPrecision": len(quantity.partition(".")[2]),
            "orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET"],
            "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
        }

    def _klines(self, futures: bool, kind: str, query: Query) -> list[Any]:
        market, timeframe = self._market(futures, query), query.get("interval", "")
        if timeframe not in _TIMEFRAMES:
            raise RefusedError(-1120, "Invalid interval.")
        rows = self.folder.rows(futures, market.name, kind, timeframe)
        if rows is None:
            return []
        now, length = self.clock(), length_ms(timeframe)
        first, last = _span(rows.time, query, now, _MOST[futures], 500)
        return [self._kline(rows, row, now, length) for row in range(first, last)]

    def _kline(self, rows: Rows, row: int, now: int, length: int) -> list[Any]:
        time = int(rows.time[row])
        prices = rows.values[row].tolist()
        if time + length > now:
            prices = _running(prices, (now - time) / length)
        opened, high, low, close, volume = prices
        words = [repr(value) for value in (opened, high, low, close, volume)]
        bought = repr(volume * taker_share_at(time))
        return [time, *words, time + length - 1, repr(volume * close), 100, bought, "0", "0"]

    def _premium(self, query: Query) -> list[Any]:
        lines = self._klines(True, "futures", query)
        return [[line[0], *[repr(premium_at(line[0]))] * 4, "0", line[6], "0", 720, "0", "0", "0"] for line in lines]

    def _statistics(self, endpoint: str, query: Query) -> list[Any]:
        """Rows of `futures/data/`: of the last 30 days only; an earlier start is an error."""
        market, now = self._market(True, query), self.clock()
        if query.get("period") not in PERIODS:
            raise RefusedError(-1130, "Data sent for parameter 'period' is not valid.")
        if int(query.get("startTime", now)) < now - KEPT_MS:
            raise RefusedError(-1130, "parameter 'startTime' is invalid.")
        length = length_ms(query["period"])
        first = max(self.folder.listed(True, market.name), now - KEPT_MS)
        time = np.arange(-(-first // length) * length, now + 1, length)
        begin, end = _span(time, query, now, 500, 30)
        return statistic_rows(endpoint, market.name, time[begin:end].tolist())

    def _funding(self, query: Query) -> list[Any]:
        market = self._market(True, query)
        rows = self.folder.funding(market.name)
        if rows is None:
            return []
        first, last = _span(rows.time, query, self.clock(), _MOST_FUNDING, 100)
        return [
            {
                "symbol": market.name,
                # The exchange stamps settlements some milliseconds late.
                "fundingTime": int(rows.time[row]) + 3,
                "fundingRate": repr(float(rows.values[row, 0])),
                "markPrice": "0",
            }
            for row in range(first, last)
        ]

    def _last(self, futures: bool, name: str) -> tuple[float, float, float] | None:
        """Last price, and volume of the last day in base and in quote units."""
        found = self.folder.shortest(futures, name)
        if found is None:
            return None
        timeframe, rows = found
        now, length = self.clock(), length_ms(timeframe)
        last = int(np.searchsorted(rows.time, now, side="right"))
        if not last:
            return None
        price = float(self._kline(rows, last - 1, now, length)[4])
        day = slice(int(np.searchsorted(rows.time, now - _DAY_MS)), last)
        volume = rows.values[day, 4]
        return price, float(volume.sum()), float(volume @ rows.values[day, 3])

    def _tickers(self, futures: bool, kind: str, query: Query) -> Any:
        one = "symbol" in query
        names = [self._market(futures, query).name] if one else sorted(self.folder.markets[futures])
        documents = [
            _ticker(name, kind, last, self.clock())
            for name in names
            if name not in self.delisted and (last := self._last(futures, name)) is not None
        ]
        return documents[0] if one and documents else documents

    def _depth(self, futures: bool, query: Query) -> dict[str, Any]:
        """Order book with its best bid and ask one tick from the last price."""
        market = self._market(futures, query)
        last = self._last(futures, market.name)
        found = self.folder.shortest(futures, market.name)
        if last is None or found is None:
            raise RefusedError(-1121, "Invalid symbol.")
        size = float(tick(found[1]))
        whole = round(last[0] / size)
        levels = range(1, min(int(query.get("limit", 20)), 100) + 1)
        bids = [[f"{(whole - at) * size:.8f}", "100000"] for at in levels if whole > at]
        asks = [[f"{(whole + at) * size:.8f}", "100000"] for at in levels]
        now = self.clock()
        return {"lastUpdateId": 1, "E": now, "T": now, "bids": bids, "asks": asks}


def _span(time: np.ndarray, query: Query, now: int, most: int, usual: int) -> tuple[int, int]:
    """Rows that a query selects, as on the exchange: from its start on, else the newest."""
    try:
        limit = int(query.get("limit", usual))
        start = int(query["startTime"]) if "startTime" in query else None
        end = min(now, int(query["endTime"])) if "endTime" in query else now
    except ValueError:
        raise RefusedError(-1104, "Not all sent parameters were read.") from None
    if limit < 1:
        raise RefusedError(-1130, "Data sent for parameter 'limit' is not valid.")
    limit = min(limit, most)
    last = int(np.searchsorted(time, end, side="right"))
    if start is None:
        return max(0, last - limit), last
    first = int(np.searchsorted(time, start))
    return first, max(first, min(last, first + limit))


def _brackets(name: str) -> dict[str, Any]:
    """Leverage tiers, which the exchange returns only with an API key (server.py requires it)."""
    tiers = ((1, 50, 5_000, 0, 0.01), (2, 20, 50_000, 5_000, 0.025), (3, 10, 250_000, 50_000, 0.05))
    keys = ("bracket", "initialLeverage", "notionalCap", "notionalFloor", "maintMarginRatio")
    return {"symbol": name, "brackets": [dict(zip(keys, tier, strict=True)) | {"cum": 0} for tier in tiers]}


def _running(prices: list[float], done: float) -> list[float]:
    """Candle of a running bar: the price moves from open to close in a straight line."""
    opened, _, _, close, volume = prices
    digits = len(repr(close).partition(".")[2])
    now = min(max(round(opened + (close - opened) * done, digits), min(opened, close)), max(opened, close))
    return [opened, max(opened, now), min(opened, now), now, volume * done]


def _ticker(name: str, kind: str, last: tuple[float, float, float], now: int) -> dict[str, Any]:
    price, volume, traded = last
    if kind == "price":
        return {"symbol": name, "price": repr(price), "time": now}
    if kind == "premium":
        rates = {"lastFundingRate": "0.0001", "interestRate": "0.0001"}
        following = (now // 28_800_000 + 1) * 28_800_000
        prices = {"markPrice": repr(price), "indexPrice": repr(price), "estimatedSettlePrice": repr(price)}
        return {"symbol": name, **prices, **rates, "nextFundingTime": following, "time": now}
    book = {"bidPrice": repr(price * 0.9999), "bidQty": "1000", "askPrice": repr(price * 1.0001), "askQty": "1000"}
    if kind == "bookTicker":
        return {"symbol": name, **book, "time": now}
    prices = {f"{which}Price": repr(price) for which in ("last", "weightedAvg", "open", "high", "low", "prevClose")}
    change = {"priceChange": "0", "priceChangePercent": "0"}
    span = {"openTime": now - _DAY_MS, "closeTime": now, "firstId": 0, "lastId": 1, "count": 1}
    return {"symbol": name, **change, **prices, **book, "volume": repr(volume), "quoteVolume": repr(traded), **span}
