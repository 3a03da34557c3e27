"""One bar of one market as the account sees it."""

from __future__ import annotations

import math
from typing import NamedTuple


class Settlement(NamedTuple):
    """One funding settlement.

    Attributes:
        rate: fraction of the position's value; longs pay a positive rate.
        price: mark price at the settlement; the last price where the mark is unknown.
    """

    rate: float
    price: float


class Bar(NamedTuple):
    """Prices of one bar and the funding settled in it.

    Attributes:
        time: open time in ms.
        open, high, low, close: last prices.
        mark_open, mark_high, mark_low: mark prices; last prices where the mark is unknown.
        mark_known: whether the mark prices are the exchange's.
        funding_known: whether no settlement is missing since the end of the previous bar.
        open_funding_known: whether no settlement is missing up to the open.
        rescaled: prices continue at another scale since the previous bar, as after a redenomination.
        settled_at_open: settlements after the previous bar, up to and including this bar's open: before any fill.
        settled_inside: settlements after the open, before the next.
        mark_close: mark price at the close; NaN for the last price.
    """

    time: int
    open: float
    high: float
    low: float
    close: float
    mark_open: float
    mark_high: float
    mark_low: float
    mark_known: bool = True
    funding_known: bool = True
    open_funding_known: bool = True
    rescaled: bool = False
    settled_at_open: tuple[Settlement, ...] = ()
    settled_inside: tuple[Settlement, ...] = ()
    mark_close: float = math.nan
