"""A panel that judges entries: a source of replies, and what they leave of the ordinary stake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from quorate.core.sections.llm import WithoutReplies
from quorate.core.types import Action, Candles, Signal
from quorate.llm.consensus import panel_consensus
from quorate.llm.members_agreement import members_agreement
from quorate.llm.strength import judge
from quorate.llm.views import PanelSource, PanelView
from quorate.trading.entry_panel import PanelVote

_NO_VIEW = PanelView()


@dataclass(frozen=True, slots=True)
class JudgingPanel:
    """A panel as accounts apply it (`trading.entry_panel.EntryPanel`).

    Attributes:
        source: of the replies.
        without_replies: what becomes of an entry on which no role replied.
    """

    source: PanelSource
    without_replies: WithoutReplies = "veto"

    @property
    def digest(self) -> str:
        """Digest of the source and of how its replies are applied: 16 hexadecimal digits."""
        return sha256(f"{self.source.digest} {self.without_replies}".encode()).hexdigest()[:16]

    def votes(self, close: int, signals: Sequence[Signal], bars: Mapping[str, Candles]) -> Mapping[str, PanelVote]:
        """Symbol -> judgement of each BUY and SELL signal; arguments as of `PanelSource.views`.

        A market without a view counts as one without replies.
        """
        entries = [signal for signal in signals if signal.action != Action.HOLD]
        if not entries:
            return {}
        views = self.source.views(close, entries, bars)
        return {signal.symbol: self._vote(signal, views.get(signal.symbol, _NO_VIEW)) for signal in entries}

    def _vote(self, signal: Signal, view: PanelView) -> PanelVote:
        consensus = panel_consensus(view)
        found = judge(signal.action, signal.confidence, consensus, members_agreement(signal))
        return PanelVote(
            strength=found.strength.name,
            agreement=found.agreement,
            combined=found.combined,
            multiplier=found.multiplier,
            share=found.share if view.replies else self.share_without_replies,
            direction=consensus.direction,
            confidence=consensus.confidence,
            contaminated=view.contaminated,
            view=view.to_json(),
        )

    @property
    def share_without_replies(self) -> float:
        """Share of the ordinary stake of an entry on which no role replied."""
        return 1.0 if self.without_replies == "trade" else 0.0
