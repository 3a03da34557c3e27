"""How a webhook is told what happened."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class NotifySettings(Section):
    """Its address is no setting, since it is a secret: the variable QUORATE_WEBHOOK has it."""

    timeout_s: float = 5.0  # of one attempt
    attempts: int = 4  # of one message, the first included
    pause_s: float = 1.0  # before the second attempt; doubles with each
    waiting: int = 1_000  # messages that may wait to be sent; what comes on top of them is dropped
    last_s: float = 5.0  # that the end of a session waits for them

    def __post_init__(self) -> None:
        require("notify", "timeout_s", self.timeout_s, 0.01, 600)
        require("notify", "attempts", self.attempts, 1, 100)
        require("notify", "pause_s", self.pause_s, 0, 600)
        require("notify", "waiting", self.waiting, 1, 1_000_000)
        require("notify", "last_s", self.last_s, 0, 600)
