"""What guards say: the mode, a move from one to another, and the verdict on an entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from quorate.core.clock import iso_ms

GuardMode = Literal["ACTIVE", "REDUCING", "HALTED"]
Name = Literal["losses", "drawdown", "models", "confidence", "volatility", "clock", "feed", "valuation"]

# The worst of the guards' modes is the account's.
MODES: tuple[GuardMode, ...] = ("ACTIVE", "REDUCING", "HALTED")


@dataclass(frozen=True, slots=True)
class GuardMove:
    """A change that a guard asks for. It is written down first and takes effect when it is applied.

    Attributes:
        guard: its name.
        before, after: the guard's own mode. One that is HALTED and moves to HALTED has been given a later `until`.
        time: of the event that led to it, in ms.
        reason: in words.
        symbol: the only market concerned; None for all.
        until: ms before which it cannot end; None where only events or a person say when.
    """

    guard: Name
    before: GuardMode
    after: GuardMode
    time: int
    reason: str
    symbol: str | None = None
    until: int | None = None

    @property
    def trips(self) -> bool:
        """Entries that were allowed no longer are."""
        return self.before == "ACTIVE"

    def to_json(self) -> dict[str, Any]:
        return {
            "guard": self.guard,
            "symbol": self.symbol,
            "before": self.before,
            "after": self.after,
            "time": iso_ms(self.time),
            "reason": self.reason,
            "until": None if self.until is None else iso_ms(self.until),
        }


class EntryCheck(NamedTuple):
    """Whether an entry may be made.

    Attributes:
        allowed: it may.
        until: ms from which it may be again at the earliest, where that is known.
        why: what stands against it, in words; empty where nothing does.
    """

    allowed: bool
    until: int | None = None
    why: str = ""
