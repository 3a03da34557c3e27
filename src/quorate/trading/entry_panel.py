"""What an account sees of a panel that judges entries: a share of the ordinary stake, and reasons for the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from quorate.core.types import Action, Candles, Signal


class PanelVote(NamedTuple):
    """A panel's judgement of one entry.

    Attributes:
        strength: its name.
        agreement, combined: of members and panel, 0 to 1.
        multiplier: of half the ordinary stake.
        share: of the ordinary stake that is left, 0 to 1; 0 is a veto.
        direction: of the panel; None without a reply.
        confidence: of the panel in it, 0 to 1.
        contaminated: whether a reply is from a model that may know what came after the bar.
        view: replies and abstentions, JSON-safe.
    """

    strength: str
    agreement: float
    combined: float
    multiplier: float
    share: float
    direction: Action | None = None
    confidence: float = 0.0
    contaminated: bool = False
    view: Mapping[str, Any] = {}

    def to_json(self) -> dict[str, Any]:
        """The form of documents."""
        return {**self._asdict(), "direction": None if self.direction is None else self.direction.name}


class EntryPanel(Protocol):
    """A panel that judges entries. It can confirm, shrink or veto them, and nothing else."""

    @property
    def digest(self) -> str:
        """Tells one panel from another in the records of a run."""
        ...

    def votes(self, close: int, signals: Sequence[Signal], bars: Mapping[str, Candles]) -> Mapping[str, PanelVote]:
        """Symbol -> judgement of each BUY and SELL signal.

        Args:
            close: time in ms of the close at which the signals were decided.
            signals: of that close.
            bars: symbol -> candles up to that close.
        """
        ...
