"""What a run found in the recordings: how often the panel replied, what that cost, and what is contaminated."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from quorate.llm.recordings.recording import Recording, canonical
from quorate.llm.views import RoleAbstention, RoleReply

# A model that writes nonsense does so in many ways, each of which is a reason.
_MOST_REASONS = 10


@dataclass(slots=True)
class PanelUsage:
    """Counts of the roles that were asked about.

    Attributes:
        replies: role -> valid replies.
        abstentions: reason -> roles that abstained for it.
        contaminated: model -> replies on bars that it may know.
        usd: cost of the recordings that were used, when they were made.
    """

    replies: Counter[str] = field(default_factory=Counter)
    abstentions: Counter[str] = field(default_factory=Counter)
    contaminated: Counter[str] = field(default_factory=Counter)
    usd: float = 0.0
    _used: set[str] = field(default_factory=set)

    def count(self, outcome: RoleReply | RoleAbstention, recording: Recording | None, contaminated: bool) -> None:
        """Add the outcome of a role on a bar."""
        if isinstance(outcome, RoleReply):
            self.replies[outcome.role] += 1
            self.contaminated[outcome.model] += contaminated
        else:
            self.abstentions[outcome.reason] += 1
        if recording is not None:
            self.usd += recording.usd
            self._used.add(sha256(canonical(recording.to_json()).encode()).hexdigest())

    @property
    def marks(self) -> list[str]:
        """The sentence beside every figure that may be optimistic, for each model."""
        return [
            f"CONTAMINATED: {count} replies of {model} are about bars that it may know from its training data; "
            "figures with the panel are optimistic"
            for model, count in sorted(self.contaminated.items())
            if count
        ]

    def to_json(self) -> dict[str, Any]:
        """JSON-safe; the most frequent reasons first. `recordings` tells one set of used recordings from another."""
        reasons = dict(self.abstentions.most_common(_MOST_REASONS))
        others = self.abstentions.total() - sum(reasons.values())
        return {
            "replies": dict(self.replies),
            "abstentions": {**reasons, "other reasons": others} if others else reasons,
            "contaminated": {model: count for model, count in self.contaminated.items() if count},
            "usd": self.usd,
            "recordings": sha256(canonical(sorted(self._used)).encode()).hexdigest()[:16],
        }
