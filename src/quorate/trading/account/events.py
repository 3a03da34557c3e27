"""Events of the account. Each holds everything it changes, so that the events alone rebuild the account."""

from __future__ import annotations

from typing import NamedTuple

from quorate.trading.account.costs import Fill
from quorate.trading.account.order import Order, Refusal, TargetOrder
from quorate.trading.account.position import Holding
from quorate.trading.account.sizing import Size
from quorate.trading.account.trade import Trade


class Refused(NamedTuple):
    """An order was refused."""

    order: Order
    reason: Refusal


class Filled(NamedTuple):
    """An order was filled and opened a position.

    Attributes:
        time: open time in ms of the bar at whose open it filled.
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
        liquidation_price: of the position from now on.
    """

    symbol: str
    rate: float
    price: float
    cash_usd: float
    liquidation_price: float


class Moved(NamedTuple):
    """A trailing stop was moved."""

    symbol: str
    stop: float


class Closed(NamedTuple):
    """A position was closed.

    Attributes:
        exit: the closing fill; the trade's sums alone do not give it back to the last bit.
    """

    trade: Trade
    exit: Fill


class Increased(NamedTuple):
    """A target opened a position or added to it.

    Attributes:
        time: open time in ms of the bar at whose open it filled.
        fill: of what was added.
        quantity: that was added, in base units.
        holding: figures of the position after it.
    """

    order: TargetOrder
    time: int
    fill: Fill
    quantity: float
    holding: Holding


class Reduced(NamedTuple):
    """A target closed a part of a position.

    Attributes:
        trade: of that part.
        exit: its closing fill.
        holding: figures of the rest.
    """

    order: TargetOrder
    trade: Trade
    exit: Fill
    holding: Holding


class Unfilled(NamedTuple):
    """A target, or the rest of its change, was not filled.

    Attributes:
        quantity: that was not traded, in base units; negative for a sale.
    """

    order: TargetOrder
    quantity: float
    reason: Refusal


AccountEvent = Refused | Filled | Settled | Moved | Closed | Increased | Reduced | Unfilled
