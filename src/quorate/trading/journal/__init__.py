"""Write-ahead journal of paper accounts."""

from quorate.trading.journal.journal import Entry, Journal
from quorate.trading.journal.order_id import order_id
from quorate.trading.journal.records import (
    RECORDS,
    ClosedRecord,
    DecidedRecord,
    FeedRecord,
    FilledRecord,
    GuardMovedRecord,
    HumanRecord,
    IntentRecord,
    LadderMovedRecord,
    MovedRecord,
    NotifiedRecord,
    Record,
    RefusedRecord,
    SettledRecord,
    StartedRecord,
    ValuedRecord,
)
from quorate.trading.journal.role import Role
from quorate.trading.journal.search import Search

__all__ = [
    "RECORDS",
    "ClosedRecord",
    "DecidedRecord",
    "Entry",
    "FeedRecord",
    "FilledRecord",
    "GuardMovedRecord",
    "HumanRecord",
    "IntentRecord",
    "Journal",
    "LadderMovedRecord",
    "MovedRecord",
    "NotifiedRecord",
    "Record",
    "RefusedRecord",
    "Role",
    "Search",
    "SettledRecord",
    "StartedRecord",
    "ValuedRecord",
    "order_id",
]
