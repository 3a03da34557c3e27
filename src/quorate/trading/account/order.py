"""An order decided on a closed bar, and what became of those that were not filled."""

from __future__ import annotations

from typing import Literal, NamedTuple

Refusal = Literal[
    "in_position",  # one position per symbol
    "just_ended",  # its time was up at this very open, on the same side, and `exits.reopen` is off
    "no_slot",  # every slot is taken
    "no_next_bar",  # a gap or the end of the candles follows the decision
    "no_atr",  # too little history to place a stop
    "stop_too_near",  # less than a tick from the entry
    "no_confidence",  # confidence 0
    "no_probability",  # half Kelly needs one
    "no_edge",  # half Kelly would bet nothing
    "no_margin",  # nothing is left to trade with
    "below_minimum",  # less than one lot or than the exchange's least order
    "spot_short",  # spot cannot be sold short
    "guarded",  # a guard lets nobody enter
    "late",  # the open it was meant for is long past
    "no_trust",  # the exchange's clock or its data cannot be relied on now
]


class Order(NamedTuple):
    """An entry at the next open.

    Attributes:
        symbol: ccxt's name.
        side: 1 long, -1 short.
        decided: open time in ms of the bar on whose close it was decided.
        due: time in ms of the open at which the position is closed at the latest.
        confidence: of the decision; the most confident orders get the free slots.
        atr: ATR(14) known at the decision, in price units.
        probability: calibrated probability that the trade wins; NaN where unknown.
    """

    symbol: str
    side: int
    decided: int
    due: int
    confidence: float
    atr: float
    probability: float = float("nan")
