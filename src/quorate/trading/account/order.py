"""Orders decided on a closed bar, and reasons to refuse them."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

#: Time in ms of an exit that never comes: the last day that a date can have.
NEVER: Final = 253_402_214_400_000

Refusal = Literal[
    "in_position",  # one position per symbol
    "just_ended",  # a position of the same side reached its time exit at this open, and `exits.reopen` is off
    "no_slot",  # every slot is taken
    "new_scale",  # prices continue at another scale at the open of the order
    "no_next_bar",  # a gap or the end of the candles follows the decision
    "no_atr",  # too little history to place a stop
    "stop_too_near",  # stop less than a tick from the entry
    "no_confidence",  # confidence 0
    "no_probability",  # half Kelly without a probability
    "no_edge",  # half Kelly of 0
    "no_margin",  # no free margin or capital
    "no_tier",  # a value beyond the exchange's last margin tier
    "liquidated",  # at this open: the position that it would change or, on cross margin, the account
    "below_minimum",  # less than one lot or the exchange's minimum order
    "spot_short",  # spot cannot be sold short
    "guarded",  # stopped by a guard
    "no_stake",  # the sizing overlay gives it none
    "vetoed",  # the panel of language models leaves it none
    "late",  # the open of the order is too long ago
    "no_trust",  # the exchange's clock or data are unreliable now
]


class Order(NamedTuple):
    """An entry at the next open.

    Attributes:
        symbol: ccxt's name.
        side: 1 long, -1 short.
        decided: open time in ms of the bar at whose close it was decided.
        due: time in ms of the open at which the position closes at the latest.
        confidence: of the decision; orders fill in descending order of it.
        atr: ATR(14) known at the decision, in price units.
        probability: calibrated probability that the trade wins; NaN where unknown.
        stake_factor: share of the ordinary stake, above 0 and at most 1.
    """

    symbol: str
    side: int
    decided: int
    due: int
    confidence: float
    atr: float
    probability: float = float("nan")
    stake_factor: float = 1.0


class TargetOrder(NamedTuple):
    """A position that is wanted after the next open; the account trades the difference to what it holds then.

    Attributes:
        symbol: ccxt's name.
        decided: open time in ms of the bar at whose close it was decided.
        quantity: base units, negative for a short; 0 closes the position.
    """

    symbol: str
    decided: int
    quantity: float
