"""What a model learned before `fit`: the weights of a pretrained forecaster, and how far their data may reach.

A walk-forward can keep its own rows apart, not those that a published network was trained on. Bars before the end of
that data may have been seen, directly or through series that moved with them, so figures on them are optimistic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from quorate.core.clock import format_ms, iso_ms, parse_ms
from quorate.core.errors import PretrainingError


@dataclass(frozen=True, slots=True)
class Pretraining:
    """Pretrained weights.

    Attributes:
        name: of the forecaster.
        version: of the package or release.
        licence: SPDX identifier of the weights.
        digest: SHA-256 of the weights.
        cutoff: ms; the data of the weights ends before it, as their authors state. None where they state nothing.
        released: ms; when the weights were published, so that no data can be later. None where it is not known.
    """

    name: str
    version: str
    licence: str
    digest: str
    cutoff: int | None = None
    released: int | None = None

    @property
    def until(self) -> int | None:
        """Bars that open before this may have been seen, ms; None for every bar."""
        return self.released if self.cutoff is None else self.cutoff

    def may_know(self, start: int | None) -> bool:
        """Whether bars from `start` on, in ms, may have been seen; None for the first bar there is."""
        return self.until is None or start is None or start < self.until

    @property
    def reach(self) -> str:
        """How far the data reaches, continuing "pretrained on data ...".

        >>> Pretraining("a", "1", "MIT", "", cutoff=1735689600000).reach
        'before 2025-01-01 00:00, as its authors state'
        """
        if self.cutoff is not None:
            return f"before {format_ms(self.cutoff)}, as its authors state"
        if self.released is not None:
            return f"whose end is not stated; its weights were published on {format_ms(self.released)}"
        return "whose end is not known"

    def mark(self, member: str) -> str:
        """The sentence beside every figure that may be optimistic."""
        return (
            f"PRETRAINED: {member} is {self.name} {self.version}, pretrained on data {self.reach}; "
            "figures on earlier bars are optimistic"
        )

    def to_json(self) -> dict[str, Any]:
        """JSON-safe; times as ISO texts."""
        times = {key: None if (at := getattr(self, key)) is None else iso_ms(at) for key in ("cutoff", "released")}
        return {**asdict(self), **times}

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> Self:
        """Read what `to_json` made.

        Raises:
            KeyError, TypeError, ValueError, QuorateError: another content.
        """
        cutoff, released = (None if tree[key] is None else parse_ms(tree[key]) for key in ("cutoff", "released"))
        name, version, licence, digest = (str(tree[key]) for key in ("name", "version", "licence", "digest"))
        return cls(name, version, licence, digest, cutoff, released)


def require_unseen(members: Mapping[str, Pretraining], start: int) -> None:
    """Require that no member's weights may know the bars from `start` on.

    Args:
        members: name -> its weights.
        start: open time of the first tested bar, ms.

    Raises:
        PretrainingError: they may; the first such member is named.
    """
    for name, found in members.items():
        if found.may_know(start):
            later = "bars that they cannot know" if found.until is None else f"bars from {format_ms(found.until)} on"
            raise PretrainingError(
                f"walk forward with {name} from {format_ms(start)} on",
                found=f"weights that were pretrained on data {found.reach}",
                expected=later,
                remedy='Choose later bars, or set evaluation.pretrained = "mark"; every figure is then marked.',
            )


def marks(members: Mapping[str, Pretraining], start: int | None) -> list[str]:
    """A sentence for each member whose weights may know bars from `start` on.

    Args:
        members: name -> its weights.
        start: first bar of the figures, ms; None for the first there is.
    """
    return [found.mark(name) for name, found in members.items() if found.may_know(start)]


def pretrained_json(members: Mapping[str, Pretraining], start: int | None) -> dict[str, dict[str, Any]]:
    """Member -> its weights, and whether they may know bars from `start` on; JSON-safe."""
    return {name: {**found.to_json(), "may_know": found.may_know(start)} for name, found in members.items()}
