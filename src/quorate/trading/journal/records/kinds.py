"""All kinds of records, and how their fields are stored."""

from __future__ import annotations

from quorate.trading.account.order import Order
from quorate.trading.account.sizing import Size
from quorate.trading.account.trade import Trade
from quorate.trading.journal.records.account_records import (
    ClosedRecord,
    DecidedRecord,
    FilledRecord,
    IntentRecord,
    MovedRecord,
    PanelRecord,
    RefusedRecord,
    SettledRecord,
    StartedRecord,
    ValuedRecord,
)
from quorate.trading.journal.records.challenge_records import ChallengedRecord, ComparedRecord, JudgedRecord
from quorate.trading.journal.records.record import Record
from quorate.trading.journal.records.state_records import (
    BenchMovedRecord,
    DriftMovedRecord,
    FeedRecord,
    GuardMovedRecord,
    HumanRecord,
    LadderMovedRecord,
    NotifiedRecord,
    SelectedRecord,
    ShadowRecord,
)
from quorate.trading.journal.records.target_records import (
    IncreasedRecord,
    ReducedRecord,
    TargetRecord,
    UnfilledRecord,
)

RECORDS: dict[str, type[Record]] = {
    record.kind: record
    for record in (
        *(
            StartedRecord,
            DecidedRecord,
            PanelRecord,
            IntentRecord,
            RefusedRecord,
            FilledRecord,
            SettledRecord,
            MovedRecord,
            ClosedRecord,
            ValuedRecord,
        ),
        *(TargetRecord, IncreasedRecord, ReducedRecord, UnfilledRecord),
        *(GuardMovedRecord, LadderMovedRecord, DriftMovedRecord, HumanRecord, FeedRecord, NotifiedRecord),
        *(BenchMovedRecord, ShadowRecord, SelectedRecord),
        *(ChallengedRecord, ComparedRecord, JudgedRecord),
    )
}

# Fields that may be NaN, stored as null.
NAN_FIELDS: dict[type, frozenset[str]] = {
    Order: frozenset({"atr", "probability"}),
    Size: frozenset({"stop", "target"}),
    Trade: frozenset({"stop", "target"}),
}

# Most of a journal's size, and not needed to rebuild an account: left out when reading without detail.
DETAIL_FIELDS: dict[type[Record], tuple[str, ...]] = {
    DecidedRecord: ("votes", "abstentions", "forecasts", "probabilities"),
    PanelRecord: ("view",),
}
