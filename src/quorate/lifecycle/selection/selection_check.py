"""Result of a selection of members."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from quorate.core.clock import format_ms, iso_ms, parse_ms
from quorate.ensemble.selection import Membership, Term


@dataclass(frozen=True, slots=True)
class SelectedMember:
    """A member over the newest window.

    Attributes:
        model: the member.
        since: when it began to vote, ms; None where it does not.
        skill: over the class prior, alone; None without labels.
        adds: of a member that votes, the skill that the others lose without it; of another one the skill that the best
            change of it for a member that votes would gain. None without labels, or where it voted too rarely.
    """

    model: str
    since: int | None = None
    skill: float | None = None
    adds: float | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON object of its fields; the time in ISO 8601."""
        return {
            "model": self.model,
            "votes": self.since is not None,
            "since": None if self.since is None else iso_ms(self.since),
            "skill": self.skill,
            "adds": self.adds,
        }

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> Self:
        """Read an object of `to_json`."""
        skill, adds = (None if tree[name] is None else float(tree[name]) for name in ("skill", "adds"))
        return cls(str(tree["model"]), None if tree["since"] is None else parse_ms(tree["since"]), skill, adds)


@dataclass(frozen=True, slots=True)
class SelectionCheck:
    """Who votes, since when, and why.

    Attributes:
        bundle: id.
        membership: who votes when.
        members: of the bundle, in its order, over the newest window; empty before the first check.
        synthetic: candles, or those that trained the bundle, are synthetic.
        looked_at: the newest midnight at which members were compared, ms; None before there was one.
        checked_at: ms; None before the first check.
        window_days: days of a window.
    """

    bundle: str
    membership: Membership
    members: tuple[SelectedMember, ...] = ()
    synthetic: bool = False
    looked_at: int | None = None
    checked_at: int | None = None
    window_days: int = 0

    @property
    def terms(self) -> tuple[Term, ...]:
        """The terms, the earliest first."""
        return self.membership.terms

    @property
    def headline(self) -> str:
        """Who votes, in a line."""
        size = self.membership.size
        if not size:
            return "all members vote"
        if not self.terms:
            first = "first member votes" if size == 1 else f"first {size} members vote"
            return f"the {first}: never checked"
        newest = self.terms[-1]
        verb = "votes" if len(newest.members) == 1 else "vote"
        return f"{', '.join(newest.members)} {verb} since {format_ms(newest.start)} ({newest.reason})"

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate select --json` and of `GET /selection`."""
        return {
            "bundle": self.bundle,
            "headline": self.headline,
            "size": self.membership.size,
            "synthetic": self.synthetic,
            "looked_at": None if self.looked_at is None else iso_ms(self.looked_at),
            "checked_at": None if self.checked_at is None else iso_ms(self.checked_at),
            "window_days": self.window_days,
            "members": [member.to_json() for member in self.members],
            "terms": self.membership.to_json(),
        }

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> Self:
        """Read a document of `to_json`.

        Raises:
            KeyError, TypeError, ValueError, QuorateError: fields that are missing or impossible.
        """
        looked, checked = (None if tree[name] is None else parse_ms(tree[name]) for name in ("looked_at", "checked_at"))
        return cls(
            str(tree["bundle"]),
            Membership(int(tree["size"]), tuple(Term.from_json(term) for term in tree["terms"])),
            tuple(SelectedMember.from_json(member) for member in tree["members"]),
            bool(tree["synthetic"]),
            looked,
            checked,
            int(tree["window_days"]),
        )
