"""Records of guards, the ladder, requests of people, the feed and webhook messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from quorate.core.redaction import redact
from quorate.core.types import Vote
from quorate.trading.journal.records.record import GuardMode, Record


@dataclass(frozen=True, slots=True)
class GuardMovedRecord(Record):
    """A move of a guard.

    Attributes:
        guard: name in `GUARDS`.
        symbol: the market concerned; None for all.
        number: of the move within the bar, from 0.
        before, after: the guard's mode.
        reason: description.
        until: ms before which the guard cannot be re-armed; None without such a time.
    """

    kind: ClassVar[str] = "guard"

    guard: str
    symbol: str | None
    number: int
    before: GuardMode
    after: GuardMode
    reason: str
    until: int | None = None

    @property
    def key(self) -> str:
        return f"guard:{self.guard}:{self.symbol or ''}:{self.time}:{self.number}"


@dataclass(frozen=True, slots=True)
class LadderMovedRecord(Record):
    """A move on the ladder.

    Attributes:
        number: of the move within the bar, from 0.
        before, after: steps, from 1.
        reason: description.
    """

    kind: ClassVar[str] = "ladder"

    number: int
    before: int
    after: int
    reason: str

    @property
    def key(self) -> str:
        return f"ladder:{self.time}:{self.number}"


@dataclass(frozen=True, slots=True)
class DriftMovedRecord(Record):
    """An alarm of drift of the bundle that decides began or ended, or the stakes that follow from it changed.

    Attributes:
        number: of the change within the bar, from 0.
        before, after: whether an alarm stands.
        stake_factor: share of the ordinary stake of new positions from then on; above 0, at most 1.
        reason: description.
    """

    kind: ClassVar[str] = "drift"

    number: int
    before: bool
    after: bool
    stake_factor: float
    reason: str

    @property
    def key(self) -> str:
        return f"drift:{self.time}:{self.number}"


@dataclass(frozen=True, slots=True)
class BenchMovedRecord(Record):
    """A member of the bundle that decides was benched, or votes again.

    Attributes:
        model: the member.
        benched: whether it is from then on.
        reason: why it is benched; empty where it votes again.
    """

    kind: ClassVar[str] = "bench"

    model: str
    benched: bool
    reason: str

    @property
    def key(self) -> str:
        return f"bench:{self.model}:{self.time}"


@dataclass(frozen=True, slots=True)
class SelectedRecord(Record):
    """Other members of the bundle that decides vote from a bar on.

    Attributes:
        before, after: the names of the members that voted and that vote, sorted; empty where all do.
    """

    kind: ClassVar[str] = "select"

    before: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def key(self) -> str:
        return f"select:{self.time}"

    @property
    def reason(self) -> str:
        """The change, for a person."""
        if not self.after or not self.before:
            return "the first choice" if self.after else "nobody is left out"
        joined = [model for model in self.after if model not in self.before]
        left = [model for model in self.before if model not in self.after]
        return f"{', '.join(joined) or 'nobody'} for {', '.join(left) or 'nobody'}"


@dataclass(frozen=True, slots=True)
class ShadowRecord(Record):
    """What benched members would have voted on a closed bar."""

    kind: ClassVar[str] = "shadow"

    symbol: str
    votes: tuple[Vote, ...]

    @property
    def key(self) -> str:
        return f"shadow:{self.symbol}:{self.time}"


@dataclass(frozen=True, slots=True)
class HumanRecord(Record):
    """A request of a person.

    Attributes:
        at: wall clock in ms.
        action: re-arm a guard, promote the ladder, or stop a challenge.
        guard: to re-arm; empty otherwise.
        who: name of the person.
        note: the person's reason.
    """

    kind: ClassVar[str] = "human"

    at: int
    action: Literal["rearm", "promote", "stop"]
    guard: str
    who: str
    note: str = ""

    def __post_init__(self) -> None:
        # What a person wrote is kept for good, and shown by other programs.
        for name in ("who", "note"):
            object.__setattr__(self, name, redact(getattr(self, name)))

    @property
    def key(self) -> str:
        return f"human:{self.action}:{self.guard}:{self.at}"


@dataclass(frozen=True, slots=True)
class FeedRecord(Record):
    """A notice of a feed about its candles.

    Attributes:
        notice: kind of the notice.
        symbol: the market; None for the whole feed.
        number: of the notice within the bar, from 0.
        detail: text of the notice.
    """

    kind: ClassVar[str] = "feed"

    notice: str
    symbol: str | None
    number: int
    detail: str = ""

    def __post_init__(self) -> None:
        # Texts of an exchange, which may repeat what it was sent.
        object.__setattr__(self, "detail", redact(self.detail))

    @property
    def key(self) -> str:
        return f"feed:{self.notice}:{self.symbol or ''}:{self.time}:{self.number}"


@dataclass(frozen=True, slots=True)
class NotifiedRecord(Record):
    """How far the webhook messages of the account are; its time is the wall clock in ms.

    Attributes:
        after: number of the record after which messages are counted.
        done: number of messages after it that are delivered or given up.
        sent, failed, dropped: of all of the account's messages: delivered, given up, dropped from a full queue.
        restarts: how often the sender ended with an unexpected error.
    """

    kind: ClassVar[str] = "notified"

    after: int
    done: int
    sent: int = 0
    failed: int = 0
    dropped: int = 0
    restarts: int = 0

    @property
    def key(self) -> str:
        return f"notified:{self.after}:{self.done}"
