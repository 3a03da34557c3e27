"""Result of a recording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from quorate.workflows.recordings.recording_plan import RecordingPlan


@dataclass(frozen=True, slots=True)
class RecordedReplies:
    """What was asked and recorded.

    Attributes:
        plan: what was to be asked.
        folder: of the recordings.
        replies: valid ones that were recorded.
        abstentions: reason -> invalid replies that were recorded.
        failures: reason -> questions without a reply. They are not recorded: the next run asks them again.
        usd: cost of what was asked.
        seconds: it took.
        stopped: why it ended before the last question; None where it did not.
        synthetic: the candles are of the synthetic market.
    """

    plan: RecordingPlan
    folder: str
    replies: int = 0
    abstentions: Mapping[str, int] = field(default_factory=dict)
    failures: Mapping[str, int] = field(default_factory=dict)
    usd: float = 0.0
    seconds: float = 0.0
    stopped: str | None = None
    synthetic: bool = False

    @property
    def asked(self) -> int:
        """Questions that were asked."""
        return self.replies + sum(self.abstentions.values()) + sum(self.failures.values())

    def to_json(self) -> dict[str, Any]:
        """JSON-safe."""
        return {
            **self.plan.to_json(),
            "synthetic": self.synthetic,
            "folder": self.folder,
            "asked": self.asked,
            "replies": self.replies,
            "abstentions": dict(self.abstentions),
            "failures": dict(self.failures),
            "usd": self.usd,
            "seconds": self.seconds,
            "stopped": self.stopped,
        }
