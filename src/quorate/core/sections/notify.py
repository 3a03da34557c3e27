"""Settings of webhook notifications."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class NotifySettings(Section):
    """Webhook messages. The address is a secret and not a setting: it is read from the variable QUORATE_WEBHOOK."""

    timeout_s: float = 5.0  # of one attempt
    attempts: int = 4  # per message, the first included
    pause_s: float = 1.0  # before the second attempt; doubles with each attempt
    waiting: int = 1_000  # maximum of queued messages; further ones are dropped
    last_s: float = 5.0  # timeout for sending queued messages at the end of a session

    def __post_init__(self) -> None:
        require("notify", "timeout_s", self.timeout_s, 0.01, 600)
        require("notify", "attempts", self.attempts, 1, 100)
        require("notify", "pause_s", self.pause_s, 0, 600)
        require("notify", "waiting", self.waiting, 1, 1_000_000)
        require("notify", "last_s", self.last_s, 0, 600)
