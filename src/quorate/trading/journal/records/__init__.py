"""Records of a trading session: one frozen record per event.

A record is written before it takes effect. Its key is unique in its account, so that no event is written twice; `time`
is its bar. Replaying the records in order rebuilds the account.
"""

from quorate.trading.journal.records.account_records import (
    ClosedRecord,
    DecidedRecord,
    FilledRecord,
    IntentRecord,
    Mark,
    MovedRecord,
    PanelRecord,
    RefusedRecord,
    SettledRecord,
    StartedRecord,
    ValuedRecord,
)
from quorate.trading.journal.records.challenge_records import (
    ChallengedRecord,
    ComparedRecord,
    JudgedRecord,
    MaturedBar,
)
from quorate.trading.journal.records.kinds import DETAIL_FIELDS, NAN_FIELDS, RECORDS
from quorate.trading.journal.records.record import GuardMode, Phase, Record
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

__all__ = [
    "DETAIL_FIELDS",
    "NAN_FIELDS",
    "RECORDS",
    "BenchMovedRecord",
    "ChallengedRecord",
    "ClosedRecord",
    "ComparedRecord",
    "DecidedRecord",
    "DriftMovedRecord",
    "FeedRecord",
    "FilledRecord",
    "GuardMode",
    "GuardMovedRecord",
    "HumanRecord",
    "IncreasedRecord",
    "IntentRecord",
    "JudgedRecord",
    "LadderMovedRecord",
    "Mark",
    "MaturedBar",
    "MovedRecord",
    "NotifiedRecord",
    "PanelRecord",
    "Phase",
    "Record",
    "ReducedRecord",
    "RefusedRecord",
    "SelectedRecord",
    "SettledRecord",
    "ShadowRecord",
    "StartedRecord",
    "TargetRecord",
    "UnfilledRecord",
    "ValuedRecord",
]
