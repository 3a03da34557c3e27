"""The state of a challenge, read from its journal."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.errors import UnknownAccountError
from quorate.lifecycle.challenge.evidence import ChallengeEnd, ChallengeEvidence
from quorate.lifecycle.challenge.session import stop_reason
from quorate.trading.journal import ChallengedRecord, ComparedRecord, HumanRecord, Journal, JudgedRecord, Record

_KINDS: tuple[type[Record], ...] = (ChallengedRecord, ComparedRecord, JudgedRecord, HumanRecord)


@dataclass(frozen=True, slots=True, eq=False)
class ChallengeState:
    """A challenge as of its newest record.

    Attributes:
        name: of the challenge.
        start: how it began.
        evidence: so far.
        judgement: its end; None while it goes on.
        written_at: wall clock in ms of the newest record.
    """

    name: str
    start: ChallengedRecord
    evidence: ChallengeEvidence
    judgement: ChallengeEnd | None
    written_at: int


def read_state(journal: Journal) -> ChallengeState | None:
    """The state of the challenge of a journal; None where it has not begun.

    Raises:
        JournalError: a journal that cannot be read.
    """
    start, evidence, written_at = None, None, 0
    judgement: ChallengeEnd | None = None
    for _, written, record in journal.read(kinds=_KINDS):
        written_at = max(written_at, written)
        match record:
            case ChallengedRecord():
                start, evidence = record, ChallengeEvidence(record)
            case ComparedRecord() if evidence is not None:
                evidence.add(record)
            case JudgedRecord():
                judgement = ChallengeEnd(record.verdict, record.reason)
            case HumanRecord(action="stop") if judgement is None:
                # A challenge that does not run is stopped by the request alone.
                judgement = ChallengeEnd("stopped", stop_reason(record))
    if start is None or evidence is None:
        return None
    return ChallengeState(journal.account, start, evidence, judgement, written_at)


def require_state(journal: Journal) -> ChallengeState:
    """The state of a challenge.

    Raises:
        UnknownAccountError: it has not begun.
        JournalError: a journal that cannot be read.
    """
    state = read_state(journal)
    if state is None:
        raise UnknownAccountError(
            f"read the challenge '{journal.account}' in {journal.place}",
            found="no challenge of that name",
            expected="one that was started",
            remedy="Start one with `quorate challenge start`.",
        )
    return state
