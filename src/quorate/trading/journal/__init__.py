"""Write-ahead journal of paper accounts."""

from quorate.trading.journal.journal import Entry, Journal
from quorate.trading.journal.order_id import order_id
from quorate.trading.journal.records import (
    RECORDS,
    ChallengedRecord,
    ClosedRecord,
    ComparedRecord,
    DecidedRecord,
    FeedRecord,
    FilledRecord,
    GuardMovedRecord,
    HumanRecord,
    IntentRecord,
    JudgedRecord,
    LadderMovedRecord,
    MaturedBar,
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
    "ChallengedRecord",
    "ClosedRecord",
    "ComparedRecord",
    "DecidedRecord",
    "Entry",
    "FeedRecord",
    "FilledRecord",
    "GuardMovedRecord",
    "HumanRecord",
    "IntentRecord",
    "Journal",
    "JudgedRecord",
    "LadderMovedRecord",
    "MaturedBar",
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
