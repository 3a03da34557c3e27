"""What a paper account has done and is about to do, written down before it takes effect."""

from quorate.trading.journal.journal import Entry, Journal
from quorate.trading.journal.order_id import order_id
from quorate.trading.journal.records import (
    RECORDS,
    Closed,
    Decided,
    Feed,
    Filled,
    GuardMoved,
    Human,
    Intent,
    LadderMoved,
    Moved,
    Record,
    Refused,
    Settled,
    Started,
    Valued,
)
from quorate.trading.journal.role import Role

__all__ = [
    "RECORDS",
    "Closed",
    "Decided",
    "Entry",
    "Feed",
    "Filled",
    "GuardMoved",
    "Human",
    "Intent",
    "Journal",
    "LadderMoved",
    "Moved",
    "Record",
    "Refused",
    "Role",
    "Settled",
    "Started",
    "Valued",
    "order_id",
]
