"""Ids of orders: the same decision always has the same id."""

from __future__ import annotations

from hashlib import sha256


def order_id(strategy: str, symbol: str, bar: int, side: int) -> str:
    """Id of an order: 24 hexadecimal digits, valid as an exchange's client order id.

    Args:
        strategy: name of the strategy.
        symbol: ccxt's name.
        bar: open time in ms of the bar of the decision.
        side: 1 long, -1 short.

    >>> order_id("vote", "BTC/USDT:USDT", 1746057600000, 1)
    'dc34bddc27fa0aa73026fc01'
    """
    # One part per line: unambiguous, since no part contains a line break.
    parts = (strategy, symbol, str(bar), str(side))
    return sha256("\n".join(parts).encode()).hexdigest()[:24]
