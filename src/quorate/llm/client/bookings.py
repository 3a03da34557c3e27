"""What the ledger of the panel answers."""

from __future__ import annotations

from typing import NamedTuple


class Booking(NamedTuple):
    """Permission to send one prompt, whose highest cost is booked.

    Attributes:
        provider, model: that may be asked.
        day: UTC day on which the cost is booked, its start in ms.
        nano_usd: booked.
    """

    provider: str
    model: str
    day: int
    nano_usd: int


class NotNow(NamedTuple):
    """Why no prompt may be sent now."""

    reason: str


class Spent(NamedTuple):
    """What a model cost on a day; prompts in progress and those of killed processes count at their highest cost."""

    provider: str
    model: str
    prompts: int
    usd: float


class Resting(NamedTuple):
    """A provider that failed since it last answered.

    Attributes:
        failures: in a row.
        until: time in ms before which it is left alone; 0 where it may be asked.
        reason: of the newest failure.
    """

    provider: str
    failures: int
    until: int
    reason: str
