"""Base class of guards: mode, pending move, applying a move."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, Literal, TypeVar

from quorate.core.clock import iso_ms
from quorate.core.errors import TradingError
from quorate.core.settings import GuardSettings
from quorate.trading.guards.guard_events import GuardEvent
from quorate.trading.guards.moves import GuardMode, GuardMove

Rearm = Literal["human", "automatic"]
Scope = Literal["account", "market"]

EventT = TypeVar("EventT", bound=GuardEvent)


class Guard(ABC, Generic[EventT]):
    """One limit on entries, for the whole account or for one market.

    A subclass sets the class attributes, counts events in `on`, and requests moves with `_trip` and `_clear`. The mode
    changes in `apply` only. A requested move stays pending until it is applied; later events do not withdraw a halt.

    Args:
        settings: limits.
        symbol: the market it watches; None for the account.

    Attributes:
        name: key in `GUARDS`, and in the journal.
        rearm: human, where a person has to re-arm it, or automatic.
        events: types of events passed to `on`.
        scopes: account, for one guard that sees all events; market, for one guard a market that sees that market's
            events. Guards of markets re-arm automatically: a person's request names no market.
        mode: ACTIVE while armed; once tripped, HALTED if a person has to re-arm it, REDUCING if it clears by itself.
        since: ms at which it was tripped; None while armed.
        until: ms before which it cannot be re-armed; None without such a time.
        reason: why it is tripped, or how it was re-armed last.
        pending: the requested move; None without one.
    """

    name: ClassVar[str]
    rearm: ClassVar[Rearm]
    events: ClassVar[tuple[type[GuardEvent], ...]]
    scopes: ClassVar[tuple[Scope, ...]] = ("account",)

    def __init__(self, settings: GuardSettings, symbol: str | None = None) -> None:
        self.settings = settings
        self.symbol = symbol
        self.mode: GuardMode = "ACTIVE"
        self.since: int | None = None
        self.until: int | None = None
        self.reason = ""
        self.pending: GuardMove | None = None

    @classmethod
    def used(cls, settings: GuardSettings) -> bool:  # noqa: ARG003 - for guards that have a limit of 0
        """Whether an account under these settings has the guard."""
        return True

    @abstractmethod
    def on(self, event: EventT) -> None:
        """Count an event of one of the types in `events`."""

    @property
    @abstractmethod
    def state(self) -> str:
        """Description of what was counted."""

    @property
    def tripped(self) -> bool:
        """Whether entries are stopped."""
        return self.mode != "ACTIVE"

    @property
    def stops(self) -> bool:
        """Whether entries are stopped, or will be once the pending move is applied."""
        return self.tripped or (self.pending is not None and self.pending.trips)

    def apply(self, move: GuardMove) -> None:
        """Apply a move that has been written to the journal.

        Raises:
            TradingError: the move does not start from the guard's current mode.
        """
        if move.before != self.mode:
            raise TradingError(
                f"apply a move of the guard '{self.name}' from {move.before} to {move.after}",
                found=f"the guard {self.mode}",
                expected="moves in the order they were written",
            )
        if move.after == "ACTIVE":
            self.since = None
            self._reset()
        elif move.trips:
            self.since = move.time
        self.pending = None
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
        """Request to be tripped; if tripped already, withdraw a request to clear and extend `until`."""
        if not self.tripped:
            if self.pending is None:
                self.pending = self._move(time, "HALTED" if self.rearm == "human" else "REDUCING", reason, until)
            return
        self.pending = None
        if until is not None and (self.until is None or until > self.until):
            self.pending = self._move(time, self.mode, reason, until)

    def _clear(self, time: int, reason: str) -> None:
        """Request to be armed again, if tripped."""
        if self.tripped and self.pending is None:
            self.pending = self._move(time, "ACTIVE", reason, None)

    def _reset(self) -> None:
        """Discard what tripped the guard; called when it is armed again."""

    def _move(self, time: int, after: GuardMode, reason: str, until: int | None) -> GuardMove:
        return GuardMove(self.name, self.mode, after, time, reason, self.symbol, until)
