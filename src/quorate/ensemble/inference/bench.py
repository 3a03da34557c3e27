"""Members of a bundle whose votes do not count for a while, when, and why.

A benched member still runs. Its vote is an abstention with the reason "benched: ...", as that of a member that fails:
quorum and guards stay as they are. What it would have voted is kept beside the votes. Who is benched is decided
elsewhere, as is who is chosen to vote in a large ensemble: members that are not chosen do not count at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np

from quorate.core.clock import format_ms, iso_ms, parse_ms
from quorate.core.errors import ArgumentError
from quorate.core.types import BENCHED, Abstention, BoolArray, FloatArray, IntArray, Mode, Vote
from quorate.ensemble.inference.members import Members
from quorate.ensemble.selection.membership import EVERYBODY, Membership

_ALWAYS = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class BenchSpan:
    """A time in which the vote of a member does not count.

    Attributes:
        model: the member.
        start: ms; bars that close then or later are decided without it.
        end: ms; bars that close then or later are decided with it again; None while it is benched.
        reason: what was found, for a person.
        by: who benched it; empty if the rule did.
    """

    model: str
    start: int
    end: int | None
    reason: str
    by: str = ""

    def __post_init__(self) -> None:
        if self.end is not None and self.end < self.start:
            raise ArgumentError(
                f"bench {self.model}",
                found=f"{format_ms(self.start)} to {format_ms(self.end)}",
                expected="an end that is not before the start",
            )

    def holds(self, time: int) -> bool:
        """Whether it is benched at a time in ms."""
        return self.start <= time and (self.end is None or time < self.end)

    def to_json(self) -> dict[str, Any]:
        """JSON object of its fields; times in ISO 8601."""
        return {
            "model": self.model,
            "from": iso_ms(self.start),
            "to": None if self.end is None else iso_ms(self.end),
            "reason": self.reason,
            "by": self.by,
        }

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> Self:
        """Read an object of `to_json`.

        Raises:
            KeyError, TypeError, ValueError, QuorateError: fields that are missing or impossible.
        """
        end = tree["to"]
        return cls(
            str(tree["model"]),
            parse_ms(tree["from"]),
            None if end is None else parse_ms(end),
            str(tree["reason"]),
            str(tree["by"]),
        )


@dataclass(frozen=True, slots=True)
class Bench:
    """The times in which members of one bundle are benched, and which of its members vote at all.

    Attributes:
        spans: in which members are benched.
        membership: who is chosen to vote.

    >>> bench = Bench((BenchSpan("nhits", 100, 200, "skill -2.0 % below its limit"),))
    >>> bench.at(150), bench.at(200)
    ({'nhits': 'skill -2.0 % below its limit'}, {})
    """

    spans: tuple[BenchSpan, ...] = ()
    membership: Membership = EVERYBODY

    def at(self, time: int) -> dict[str, str]:
        """Benched member -> reason, at a time in ms."""
        return {span.model: span.reason for span in self.spans if span.holds(time)}

    def rows(self, model: str, closes: IntArray) -> BoolArray:
        """(n,) whether a member is benched at each of (n,) closing times in ms."""
        found = np.zeros(len(closes), np.bool_)
        for span in self.spans:
            if span.model == model:
                found |= (closes >= span.start) & (closes < (_ALWAYS if span.end is None else span.end))
        return found

    def mask(self, scores: Mapping[str, FloatArray], closes: IntArray) -> dict[str, FloatArray]:
        """Each member's (n, 3) scores, NaN on the bars on which it is benched.

        Args:
            scores: model -> (n, 3).
            closes: (n,) closing times in ms.
        """
        if not self.spans:
            return dict(scores)
        return {model: np.where(self.rows(model, closes)[:, None], np.nan, table) for model, table in scores.items()}

    def with_spans(self, spans: Iterable[BenchSpan]) -> Bench:
        """The bench with more spans."""
        return replace(self, spans=(*self.spans, *spans))


#: Called with the id of a bundle: its bench.
BenchOf = Callable[[str], Bench]

EMPTY: Final = Bench()


def no_bench(bundle_id: str) -> Bench:  # noqa: ARG001 - as every `BenchOf`
    """Nobody is benched."""
    return EMPTY


def apart(
    votes: Sequence[Vote | Abstention], benched: Mapping[str, str]
) -> tuple[list[Vote | Abstention], tuple[Vote, ...]]:
    """The votes of one bar with those of benched members as abstentions, and what these would have voted.

    An abstention of a benched member keeps its own reason after that of the bench.

    >>> apart([Abstention("nhits", "failed: no")], {"nhits": "failed on 3 of the last 24 bars"})[0][0].reason
    'benched: failed on 3 of the last 24 bars; failed: no'
    """
    counted: list[Vote | Abstention] = []
    shadows: list[Vote] = []
    for vote in votes:
        reason = benched.get(vote.model)
        if reason is None:
            counted.append(vote)
        elif isinstance(vote, Vote):
            shadows.append(vote)
            counted.append(Abstention(vote.model, BENCHED + reason))
        else:
            counted.append(Abstention(vote.model, f"{BENCHED}{reason}; {vote.reason}"))
    return counted, tuple(shadows)


def mode_without(mode: Mode, benched: int) -> Mode:
    """The mode of a bundle of which some loaded members are benched: partial where it was full.

    Benching never makes it none: that says that the fallback rules decide, and a bench must not bring them in.
    """
    return "partial" if benched and mode == "full" else mode


def mode_of(members: Members, bench: Bench, time: int) -> Mode:
    """The mode of a bundle at a time in ms: without its benched members, and of those that are chosen to vote.

    Args:
        members: of the bundle.
        bench: of the bundle.
        time: ms.
    """
    benched, membership = bench.at(time), bench.membership
    if not membership.applies(members.order) or members.mode == "none":
        return mode_without(members.mode, sum(model in members.sessions for model in benched))
    chosen = membership.at(time, members.order)
    return "full" if all(model in members.sessions and model not in benched for model in chosen) else "partial"


def bench_states(beyond: BoolArray, judged: BoolArray, window: int) -> BoolArray:
    """(looks, m) whether each member is benched after each look: a rule with hysteresis.

    A member is benched at a look that finds it beyond its limits. It returns at the first look that is within them and
    whose whole window lies after that one: by the same test, on other bars than those that benched it. So it is benched
    for at least a window, and noise about a limit cannot move it to and fro.

    Args:
        beyond: (looks, m) found beyond a limit.
        judged: (looks, m) whether the window had enough to judge; others change nothing.
        window: looks after which a window shares nothing with the one that benched.

    >>> beyond = np.array([[0], [1], [0], [0], [0]], bool)
    >>> bench_states(beyond, np.ones_like(beyond), 2).ravel().tolist()
    [False, True, True, False, False]
    """
    states = np.zeros(beyond.shape, np.bool_)
    benched = np.zeros(beyond.shape[1], np.bool_)
    since = np.zeros(beyond.shape[1], np.int64)
    for look in range(len(beyond)):
        found, known = beyond[look] & judged[look], judged[look]
        returns = benched & known & ~found & (look - since >= window)
        since[found & ~benched] = look
        benched = (benched & ~returns) | found
        states[look] = benched
    return states
