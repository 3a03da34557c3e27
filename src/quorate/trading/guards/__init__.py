"""Guards: limits that stop entries, keep their state over restarts, and are re-armed by a person or by themselves."""

from quorate.trading.guards.guard import Guard
from quorate.trading.guards.guard_events import (
    AccountValued,
    ClocksCompared,
    FeedChecked,
    GuardEvent,
    MembersCounted,
    SignalDecided,
    TradeClosed,
    VolatilityMeasured,
    decision_events,
    valuation_events,
)
from quorate.trading.guards.guards import GUARDS, Guards
from quorate.trading.guards.moves import EntryCheck, GuardMode, GuardMove
from quorate.trading.guards.valid_members import valid_members

__all__ = [
    "GUARDS",
    "AccountValued",
    "ClocksCompared",
    "EntryCheck",
    "FeedChecked",
    "Guard",
    "GuardEvent",
    "GuardMode",
    "GuardMove",
    "Guards",
    "MembersCounted",
    "SignalDecided",
    "TradeClosed",
    "VolatilityMeasured",
    "decision_events",
    "valid_members",
    "valuation_events",
]
