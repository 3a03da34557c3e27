"""What stops entries: limits with reasons, that a restart does not clear and only the right hand re-arms."""

from quorate.trading.guards.guard import Guard
from quorate.trading.guards.guards import Guards
from quorate.trading.guards.moves import EntryCheck, GuardMode, GuardMove
from quorate.trading.guards.valid_members import valid_members

__all__ = ["EntryCheck", "Guard", "GuardMode", "GuardMove", "Guards", "valid_members"]
