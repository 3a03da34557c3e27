"""The name of an order, the same whenever the same decision is made again."""

from __future__ import annotations

from hashlib import sha256


def order_id(strategy: str, symbol: str, bar: int, side: int) -> str:
    """24 hexadecimal digits, fit for an exchange's client order id.

    Args:
        strategy: name of what decides.
        symbol: ccxt's name.
        bar: open time in ms of the bar that was decided on.
        side: 1 long, -1 short.

    >>> order_id("vote", "BTC/USDT:USDT", 1746057600000, 1)
    'dc34bddc27fa0aa73026fc01'
    """
    # A line for each part: no two lists of parts make the same text, since no part holds a line break.
    parts = (strategy, symbol, str(bar), str(side))
    return sha256("\n".join(parts).encode()).hexdigest()[:24]
