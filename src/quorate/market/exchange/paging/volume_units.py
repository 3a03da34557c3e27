"""Unit of the volume in ccxt's candles of linear perpetuals, and its conversion to base units.

ccxt passes on the number that the exchange sends. Most exchanges send base units; these do not. Sources are ccxt 4.5.90
(`parse_ohlcv`, its example responses, and the conversion that `parse_ticker` applies to the same field) and the
exchanges' documentation.

| exchange | unit | source |
|---|---|---|
| gate | contracts | Gate API v4, candlesticks: `v` is "size volume (contract size)"; ccxt issues 13887, 18941 |
| kucoin, kucoinfutures | contracts | KuCoin futures klines: volume in lots of `multiplier` base units |
| mexc | contracts | MEXC contract klines: `vol` counts contracts; ccxt issue 27857, `parse_ticker` |
| xt | contracts | `a` of XT futures klines; `parse_ticker` multiplies the same field by the contract size |
| poloniex | contracts | Poloniex v3: `qty` beside `amt` (3,707.5395 = 44 x 0.001 x 84,262); `parse_ticker` |
| deepcoin | contracts | ccxt's example: 2,849 x 0.1 ETH x 3,740 = the turnover beside it, 1,065,584 |
| toobit, hashkey | contracts | `parse_ticker`: "'v' counts contracts" |
| btse | quote units | `fetch_ohlcv`: "volume in quote currency" |
| hibachi | quote units | the only volume of its candles is `volumeNotional` |
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from quorate.core.types import FloatArray

_LOG = logging.getLogger(__name__)

CONTRACTS = frozenset(
    {"deepcoin", "gate", "gateio", "hashkey", "kucoin", "kucoinfutures", "mexc", "poloniex", "toobit", "xt"}
)
QUOTE = frozenset({"btse", "hibachi"})

#: Exchanges whose candles are in base units, by the same sources. For others with contracts of another size than one
#: base unit the unit is unknown.
BASE = frozenset(
    {
        *("apex", "aster", "backpack", "binance", "binanceusdm", "bingx", "bitfinex", "bitget", "blofin", "bybit"),
        *("cryptocom", "deribit", "derive", "dydx", "grvt", "htx", "huobi", "hyperliquid", "krakenfutures", "myokx"),
        *("okx", "okxus", "phemex", "whitebit", "woo", "woofipro"),
    }
)


def base_volume(exchange: str, market: Mapping[str, Any], volume: FloatArray, price: FloatArray) -> FloatArray:
    """Convert the volume of ccxt's candles to base units.

    Args:
        exchange: ccxt's name.
        market: ccxt's market structure.
        volume: (n,) as ccxt returns it.
        price: (n,) close prices, for volumes in the quote currency: their exact average is unknown.

    Returns:
        (n,) base units; NaN where the volume is.
    """
    if not market.get("contract"):
        return volume
    if exchange in QUOTE:
        return volume / price
    size = market.get("contractSize")
    return volume * float(size) if exchange in CONTRACTS and size else volume


def warn_of_unknown_unit(exchange: str, markets: Mapping[str, Mapping[str, Any]]) -> None:
    """Log once that an exchange's unit of volume is unknown, where contracts and base units differ."""
    if exchange in CONTRACTS | QUOTE | BASE:
        return
    others = [
        symbol
        for symbol, market in markets.items()
        if market.get("contract") and market.get("contractSize") not in (None, 1, 1.0)
    ]
    if others:
        _LOG.warning(
            "%s: whether the volume of its perpetuals counts base units or contracts is unknown, and they differ for "
            "%d markets such as %s; volumes are stored as they come, and a choice by quote volume can be wrong",
            exchange,
            len(others),
            others[0],
        )
