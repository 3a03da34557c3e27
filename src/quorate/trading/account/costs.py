"""Costs of a fill: slippage moves the price against the trader, and a fee is charged on the traded value."""

from __future__ import annotations

from typing import NamedTuple

from quorate.core.settings import CostSettings

#: Makes a named tuple of all its fields in half of the time that its own constructor takes.
new_tuple = tuple.__new__


class Fill(NamedTuple):
    """One side of a trade.

    Attributes:
        price: paid or received, in quote units.
        reference_price: price without slippage.
        fee_usd: fee on the value at `price`.
        slippage_usd: value lost between reference and price; never negative.
    """

    price: float
    reference_price: float
    fee_usd: float
    slippage_usd: float


def slipped(reference_price: float, direction: int, costs: CostSettings) -> float:
    """Fill price of a market order: higher for a buyer (direction 1), lower for a seller (-1).

    >>> slipped(100.0, 1, CostSettings(slippage=0.01))
    101.0
    """
    return reference_price * (1 + direction * costs.slippage)


def taker_fill(reference_price: float, direction: int, quantity: float, costs: CostSettings) -> Fill:
    """Fill of a market order: slippage and the taker fee."""
    price = reference_price * (1 + direction * costs.slippage)
    fee_usd, slippage_usd = quantity * price * costs.taker_fee, quantity * abs(price - reference_price)
    return new_tuple(Fill, (price, reference_price, fee_usd, slippage_usd))


def maker_fill(reference_price: float, quantity: float, costs: CostSettings) -> Fill:
    """Fill of a limit order that rested in the book: its own price and the maker fee, which may be a rebate."""
    return Fill(reference_price, reference_price, quantity * reference_price * costs.maker_fee, 0.0)


def loss_at_stop(entry_price: float, stop: float, side: int, costs: CostSettings) -> float:
    """Loss of one unit when the stop fills at its price: price difference, slippage of the exit, both fees.

    >>> round(loss_at_stop(100.0, 98.0, 1, CostSettings(taker_fee=0.001, slippage=0)), 6)
    2.198
    """
    exit_price = stop * (1 + -side * costs.slippage)
    return side * (entry_price - exit_price) + costs.taker_fee * (entry_price + exit_price)
