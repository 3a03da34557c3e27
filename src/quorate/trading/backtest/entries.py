"""Entries of a backtest: its orders, and where and at what price each could fill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from quorate.core.types import IntArray
from quorate.trading.account.order import Order
from quorate.trading.account.orders import Orders
from quorate.trading.account.tape import Tape


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """n orders in order of their fills, the best of each open first, and what is known of each before the run.

    Attributes:
        order: n orders.
        place: (n,) number of the bar of the run at whose open it could fill.
        row, due: (n,) rows of the market's tape at which it could fill and closes at the latest.
        price: (n,) open there.
        rescaled: (n,) whether prices continue at another scale there.
    """

    order: list[Order]
    place: list[int]
    row: list[int]
    due: list[int]
    price: list[float]
    rescaled: list[bool]

    @classmethod
    def of(cls, orders: Orders, tapes: Mapping[str, Tape], time: IntArray) -> Entries:
        """Find the fills of orders in their markets.

        Args:
            orders: all have a bar to fill in.
            tapes: symbol -> market.
            time: (m,) open times in ms of the bars of the run, over all markets.
        """
        n = len(orders.fill)
        row, due = np.zeros(n, np.int64), np.zeros(n, np.int64)
        price, rescaled = np.zeros(n), np.zeros(n, np.bool_)
        for number, symbol in enumerate(orders.symbols):
            own = np.flatnonzero(orders.symbol == number)
            if own.size:
                opened = np.asarray(tapes[symbol].time)
                row[own] = np.searchsorted(opened, orders.fill[own])
                due[own] = np.searchsorted(opened, orders.due[own])
                price[own] = np.asarray(tapes[symbol].open)[row[own]]
                rescaled[own] = np.asarray(tapes[symbol].rescaled)[row[own]]
        place = np.searchsorted(time, orders.fill)
        return cls(orders.all, place.tolist(), row.tolist(), due.tolist(), price.tolist(), rescaled.tolist())
