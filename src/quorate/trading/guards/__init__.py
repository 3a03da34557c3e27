"""What stops entries: limits with reasons, that a restart does not clear and only the right hand re-arms."""

from quorate.trading.guards.guard import Guard
from quorate.trading.guards.machine import Guards
from quorate.trading.guards.members import valid_members
from quorate.trading.guards.move import GuardMode, GuardMove, Verdict

__all__ = ["Guard", "GuardMode", "GuardMove", "Guards", "Verdict", "valid_members"]
