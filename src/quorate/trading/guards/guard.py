"""What all guards share: armed or tripped, a move that is asked for, a move that is applied."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from quorate.core.clock import iso_ms
from quorate.core.errors import TradingError
from quorate.trading.guards.moves import GuardMode, GuardMove, Name

Rearm = Literal["human", "automatic"]


class Guard:
    """One limit. A subclass counts events and asks for moves; nothing but `apply` changes the mode.

    A move that was asked for stays asked for until it is applied: a halt cannot be talked away by what comes after.

    Args:
        symbol: the only market it watches; None for all.

    Attributes:
        mode: ACTIVE while armed; tripped, HALTED if a person has to re-arm it and REDUCING if it clears by itself.
        since: ms at which it was tripped; None while armed.
        until: ms before which it cannot be re-armed; None where there is no such time.
        reason: why it is tripped, or what re-armed it last.
        asked: the move it asks for; None for none.
    """

    name: ClassVar[Name]
    rearm: ClassVar[Rearm]

    def __init__(self, symbol: str | None = None) -> None:
        self.symbol = symbol
        self.mode: GuardMode = "ACTIVE"
        self.since: int | None = None
        self.until: int | None = None
        self.reason = ""
        self.asked: GuardMove | None = None

    @property
    def tripped(self) -> bool:
        """Entries are stopped."""
        return self.mode != "ACTIVE"

    @property
    def stops(self) -> bool:
        """Entries are stopped, or will be as soon as the move that is asked for has been written down."""
        return self.tripped or (self.asked is not None and self.asked.trips)

    @property
    def state(self) -> str:
        """What it has counted, in words."""
        raise NotImplementedError

    def apply(self, move: GuardMove) -> None:
        """Let a move take effect that has been written down.

        Raises:
            TradingError: it does not start from the mode that the guard is in.
        """
        if move.before != self.mode:
            raise TradingError(
                f"apply a move of the guard '{self.name}' from {move.before} to {move.after}",
                found=f"the guard {self.mode}",
                expected="moves in the order they were written",
            )
        if move.after == "ACTIVE":
            self.since = None
            self._start_over()
        elif move.trips:
            self.since = move.time
        self.asked = None
        self.mode, self.reason, self.until = move.after, move.reason, move.until

    def to_json(self) -> dict[str, Any]:
        """The form of `quorate paper status --json`."""
        return {
            "guard": self.name,
            "symbol": self.symbol,
            "mode": self.mode,
            "rearm": self.rearm,
            "since": None if self.since is None else iso_ms(self.since),
            "until": None if self.until is None else iso_ms(self.until),
            "reason": self.reason,
            "state": self.state,
        }

    def _trip(self, time: int, reason: str, until: int | None = None) -> None:
        """Ask to be tripped; if it is already, take back a request to clear, and move `until` on."""
        if not self.tripped:
            if self.asked is None:
                self.asked = self._move(time, "HALTED" if self.rearm == "human" else "REDUCING", reason, until)
            return
        self.asked = None
        if until is not None and (self.until is None or until > self.until):
            self.asked = self._move(time, self.mode, reason, until)

    def _clear(self, time: int, reason: str) -> None:
        """Ask to be armed again, if it is tripped."""
        if self.tripped and self.asked is None:
            self.asked = self._move(time, "ACTIVE", reason, None)

    def _start_over(self) -> None:
        """Armed again: forget what tripped it."""

    def _move(self, time: int, after: GuardMode, reason: str, until: int | None) -> GuardMove:
        return GuardMove(self.name, self.mode, after, time, reason, self.symbol, until)
