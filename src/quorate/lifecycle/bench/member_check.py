"""Result of a check of single members."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from quorate.core.clock import format_ms, iso_ms, parse_ms
from quorate.ensemble.inference.bench import Bench, BenchSpan


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a member over the newest window, its limit, and the figure on the held-out rows of the training."""

    value: float
    limit: float
    at_training: float


@dataclass(frozen=True, slots=True)
class MemberCheck:
    """A member over the newest window.

    Attributes:
        model: the member.
        skill: over the class prior; beyond bounds below its limit.
        error: expected calibration error; beyond bounds above its limit.
        behind: skill of the mean of the others less its own; beyond bounds above its limit.
        lacking: why there are no figures; empty if there are.
    """

    model: str
    skill: Figure | None = None
    error: Figure | None = None
    behind: Figure | None = None
    lacking: str = ""

    def to_json(self) -> dict[str, Any]:
        """JSON object of its fields."""
        figures = {"skill": self.skill, "calibration_error": self.error, "behind": self.behind}
        return {
            "model": self.model,
            **{
                name: None
                if figure is None
                else {"value": figure.value, "limit": figure.limit, "at_training": figure.at_training}
                for name, figure in figures.items()
            },
            "lacking": self.lacking,
        }

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> Self:
        """Read an object of `to_json`."""
        return cls(
            str(tree["model"]),
            _figure(tree["skill"]),
            _figure(tree["calibration_error"]),
            _figure(tree["behind"]),
            str(tree["lacking"]),
        )


@dataclass(frozen=True, slots=True)
class BenchCheck:
    """Who is benched, when, and why.

    Attributes:
        bundle: id.
        members: of the bundle, in its order, over the newest window; empty before the first check.
        spans: times in which members are or were benched, by the rule or by hand, the earliest first.
        synthetic: candles, or those that trained the bundle, are synthetic.
        looked_at: end of the newest whole window, ms; None before the first check, and before there is one.
        window_days: days of a window.
        chance: that a stationary year benches any member for drift.
        checked_at: ms; None before the first check.
    """

    bundle: str
    members: tuple[MemberCheck, ...] = ()
    spans: tuple[BenchSpan, ...] = ()
    synthetic: bool = False
    looked_at: int | None = None
    window_days: int = 0
    chance: float = 0.0
    checked_at: int | None = None

    @property
    def bench(self) -> Bench:
        """The spans, as predictors take them."""
        return Bench(self.spans)

    @property
    def benched(self) -> tuple[BenchSpan, ...]:
        """The members that are benched now."""
        return tuple(span for span in self.spans if span.end is None)

    @property
    def headline(self) -> str:
        """Who is benched, in a line."""
        if not self.benched:
            return "nobody is benched"
        models = dict.fromkeys(span.model for span in self.benched)
        first = {span.model: span for span in reversed(self.benched)}
        texts = [f"{model} since {format_ms(first[model].start)} ({first[model].reason})" for model in models]
        return f"benched: {', '.join(texts)}"

    def with_by_hand(self, others: tuple[BenchSpan, ...]) -> BenchCheck:
        """The check with the spans of others that a person made."""
        by_hand = tuple(span for span in others if span.by)
        return replace(self, spans=tuple(sorted((*self.spans, *by_hand), key=lambda span: span.start)))

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate bench --json` and of `GET /bench`."""
        return {
            "bundle": self.bundle,
            "headline": self.headline,
            "benched": [span.to_json() for span in self.benched],
            "synthetic": self.synthetic,
            "looked_at": None if self.looked_at is None else iso_ms(self.looked_at),
            "checked_at": None if self.checked_at is None else iso_ms(self.checked_at),
            "window_days": self.window_days,
            "chance": self.chance,
            "members": [member.to_json() for member in self.members],
            "spans": [span.to_json() for span in self.spans],
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
            tuple(MemberCheck.from_json(member) for member in tree["members"]),
            tuple(BenchSpan.from_json(span) for span in tree["spans"]),
            bool(tree["synthetic"]),
            looked,
            int(tree["window_days"]),
            float(tree["chance"]),
            checked,
        )


def _figure(tree: Mapping[str, Any] | None) -> Figure | None:
    return None if tree is None else Figure(*(float(tree[name]) for name in ("value", "limit", "at_training")))
