"""Requests to a paper account: re-arm a guard, confirm the next step of the ladder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from quorate.trading.guards import GuardMove
    from quorate.trading.journal import Journal
    from quorate.trading.ladder import LadderMove
    from quorate.trading.paper import AccountStatus


@dataclass(frozen=True, slots=True)
class RequestedMove:
    """What a request would change, to be confirmed.

    Attributes:
        account: its name.
        what: a guard's name, or "ladder".
        before, after: modes of the guard, or steps of the ladder.
        who: whose decision it is.
    """

    account: str
    what: str
    before: str
    after: str
    who: str


@dataclass(frozen=True, slots=True)
class PaperRequest:
    """A request recorded in the journal; it applies from the next bar.

    Attributes:
        action: rearm or promote.
        guard: its name; empty for the ladder.
        who: whose decision it is.
        note: the reason given.
        at: when it was recorded, ms UTC.
    """

    action: Literal["rearm", "promote"]
    guard: str
    who: str
    note: str
    at: int

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate paper rearm --json` and `promote --json`."""
        from quorate.core.clock import iso_ms

        return {
            "action": self.action,
            "guard": self.guard,
            "who": self.who,
            "note": self.note,
            "at": iso_ms(self.at),
        }


Confirm = Callable[[RequestedMove], bool]


def request(
    journal: Journal,
    status: AccountStatus,
    action: Literal["rearm", "promote"],
    guard: str,
    who: str,
    note: str,
    confirm: Confirm | None,
) -> PaperRequest | None:
    """Record a request if the account allows it and it is confirmed.

    Args:
        journal: of the account, opened as human.
        status: of the account, as of the journal's newest record.
        action: what is asked for.
        guard: to re-arm; empty for the ladder.
        who: whose decision it is.
        note: the reason, for the journal.
        confirm: called with what would change; False records nothing. None needs no confirmation.

    Raises:
        GuardError: a session without guards, no such guard, one that is not halted, or a step whose conditions are not
            met.
        JournalError: the request cannot be written.
    """
    from quorate.core.clock import now_ms
    from quorate.core.errors import GuardError
    from quorate.trading.journal import HumanRecord

    engine, last = status.engine, status.recovered.valued
    time = status.history.started[-1].time if last is None else last.time
    attempted = f"{action} the account '{journal.account}'"
    if engine.guards is None:
        raise GuardError(attempted, found="a session without guards")
    # Refused here, before the next bar, where the account does not allow it.
    move: GuardMove | LadderMove
    if action == "rearm":
        move = engine.guards.rearm(guard, time, who)
    elif engine.ladder is None:
        raise GuardError(attempted, found="an account without a ladder, as of a book")
    else:
        move = engine.ladder.promote(time, who)
    asked = RequestedMove(journal.account, guard or "ladder", str(move.before), str(move.after), who)
    if confirm is not None and not confirm(asked):
        return None
    record = HumanRecord(time=time, at=now_ms(), action=action, guard=guard, who=who, note=note)
    journal.append([record])
    return PaperRequest(action, guard, who, note, record.at)
