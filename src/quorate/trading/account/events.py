"""What happens to the account. Each event holds all that it changes, so that events alone rebuild the account."""

from __future__ import annotations

from typing import NamedTuple

from quorate.trading.account.costs import Fill
from quorate.trading.account.order import Order, Refusal
from quorate.trading.account.position import Trade
from quorate.trading.account.sizing import Size


class Refused(NamedTuple):
    """An order came to nothing."""

    order: Order
    reason: Refusal


class Filled(NamedTuple):
    """An order became a position.

    Attributes:
        time: open time in ms of the bar at whose open it was filled.
    """

    order: Order
    size: Size
    time: int
    entry: Fill


class Settled(NamedTuple):
    """Funding was paid or received.

    Attributes:
        rate: fraction of the position's value.
        price: mark price at the settlement.
        cash_usd: received; negative when paid.
    """

    symbol: str
    rate: float
    price: float
    cash_usd: float


class Moved(NamedTuple):
    """A trailing stop followed the price."""

    symbol: str
    stop: float


class Closed(NamedTuple):
    """A position became a trade.

    Attributes:
        exit: the fill, without which the trade's sums could not be taken apart again to the last bit.
    """

    trade: Trade
    exit: Fill


AccountEvent = Refused | Filled | Settled | Moved | Closed
