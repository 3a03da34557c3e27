"""Which members vote when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Self

import numpy as np

from quorate.core.clock import format_ms, iso_ms, parse_ms
from quorate.core.errors import ArgumentError
from quorate.core.types import NOT_SELECTED, BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Term:
    """A time in which the same members vote.

    Attributes:
        start: ms; bars that close then or later are decided by them, until the next term.
        members: names, those of the longest standing first.
        reason: what was found, for a person.
    """

    start: int
    members: tuple[str, ...]
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """JSON object of its fields; the time in ISO 8601."""
        return {"from": iso_ms(self.start), "members": list(self.members), "reason": self.reason}

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> Self:
        """Read an object of `to_json`.

        Raises:
            KeyError, TypeError, ValueError, QuorateError: fields that are missing or impossible.
        """
        return cls(parse_ms(tree["from"]), tuple(map(str, tree["members"])), str(tree["reason"]))


@dataclass(frozen=True, slots=True)
class Membership:
    """The members of one ensemble that vote, term after term.

    Before the first term, and without one, the first `size` members of the ensemble vote.

    Attributes:
        size: number of members that vote; 0 for all.
        terms: in order of time.

    Raises:
        ArgumentError: terms that are not in order of time, or not of `size` different members.

    >>> membership = Membership(1, (Term(100, ("b",)),))
    >>> membership.at(99, ("a", "b")), membership.at(100, ("a", "b"))
    (('a',), ('b',))
    """

    size: int = 0
    terms: tuple[Term, ...] = ()

    def __post_init__(self) -> None:
        starts = [term.start for term in self.terms]
        if self.size < 0 or starts != sorted(set(starts)):
            raise ArgumentError(
                "choose the members that vote",
                found=f"a size of {self.size} and terms from {starts}",
                expected="a size of 0 or more, and terms in order of time",
            )
        for term in self.terms:
            if not len(term.members) == len(set(term.members)) == self.size:
                raise ArgumentError(
                    "choose the members that vote",
                    found=f"{', '.join(term.members) or 'nobody'} from {format_ms(term.start)}",
                    expected=f"{self.size} different members",
                )

    def applies(self, order: Sequence[str]) -> bool:
        """Whether some of an ensemble's members do not vote."""
        return 0 < self.size < len(order)

    def count(self, order: Sequence[str]) -> int:
        """How many members of an ensemble vote at any time: the n of the quorum."""
        return self.size if self.applies(order) else len(order)

    def at(self, time: int, order: Sequence[str]) -> tuple[str, ...]:
        """The members that vote at a time in ms, in the order of the ensemble."""
        if not self.applies(order):
            return tuple(order)
        term = self.term(time)
        return tuple(order[: self.size]) if term is None else tuple(name for name in order if name in term.members)

    def term(self, time: int) -> Term | None:
        """The term at a time in ms; None before the first."""
        return next((term for term in reversed(self.terms) if term.start <= time), None)

    def reason(self, time: int, model: str) -> str:
        """Reason of the abstention of a member that does not vote at a time in ms."""
        term = self.term(time)
        if term is None:
            return f"{NOT_SELECTED}not among the first {self.size} members, and nothing is known of any"
        left = [
            later.start
            for former, later in pairwise(self.terms)
            if later.start <= time and model in former.members and model not in later.members
        ]
        since = left[-1] if left else self.terms[0].start
        return f"{NOT_SELECTED}since {format_ms(since)}"

    def rows(self, closes: IntArray, order: Sequence[str]) -> BoolArray:
        """(n, m) whether each of m members votes at each of (n,) closing times in ms."""
        found = np.ones((len(closes), len(order)), np.bool_)
        if self.applies(order):
            sets = [tuple(order[: self.size]), *(term.members for term in self.terms)]
            table = np.array([[name in members for name in order] for members in sets], np.bool_)
            starts = np.array([term.start for term in self.terms], np.int64)
            found = table[np.searchsorted(starts, np.asarray(closes, np.int64), side="right")]
        return found

    def split(
        self, scores: Mapping[str, FloatArray], closes: IntArray
    ) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
        """Each member's (n, 3) scores, NaN on the bars on which it does not vote; and the same for the other bars.

        Args:
            scores: member -> (n, 3), of all members in order.
            closes: (n,) closing times in ms.
        """
        if not self.applies(tuple(scores)):
            return dict(scores), {}
        rows = self.rows(closes, tuple(scores))
        voting, others = {}, {}
        for place, (name, table) in enumerate(scores.items()):
            own = rows[:, place, None]
            voting[name], others[name] = np.where(own, table, np.nan), np.where(own, np.nan, table)
        return voting, others

    def to_json(self) -> list[dict[str, Any]]:
        """JSON array of the terms."""
        return [term.to_json() for term in self.terms]


#: All members vote.
EVERYBODY: Final = Membership()
