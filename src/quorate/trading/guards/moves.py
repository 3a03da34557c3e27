"""Modes of guards, moves from one mode to another, and the result of an entry check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from quorate.core.clock import iso_ms

GuardMode = Literal["ACTIVE", "REDUCING", "HALTED"]

#: From best to worst; the worst mode of all guards is the account's.
MODES: tuple[GuardMode, ...] = ("ACTIVE", "REDUCING", "HALTED")


@dataclass(frozen=True, slots=True)
class GuardMove:
    """A change of a guard's mode. It is written to the journal first and takes effect when it is applied.

    Attributes:
        guard: name in `GUARDS`.
        before, after: the guard's own mode. A move from HALTED to HALTED extends `until`.
        time: of the event that caused it, in ms.
        reason: description for the journal.
        symbol: the market concerned; None for all.
        until: ms before which the guard cannot be re-armed; None without such a time.
    """

    guard: str
    before: GuardMode
    after: GuardMode
    time: int
    reason: str
    symbol: str | None = None
    until: int | None = None

    @property
    def trips(self) -> bool:
        """Whether the move stops entries that were allowed before."""
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
    """Whether a position may be opened.

    Attributes:
        allowed: no guard stops it.
        until: earliest time in ms at which an entry can be allowed again; None where unknown.
        why: reasons of the guards that stop it; empty where it is allowed.
    """

    allowed: bool
    until: int | None = None
    why: str = ""
