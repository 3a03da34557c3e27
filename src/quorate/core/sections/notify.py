"""Settings of webhook notifications."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class NotifySettings(Section):
    """Webhook messages. The address is a secret and not a setting: it is read from the variable QUORATE_WEBHOOK."""

    timeout_s: float = 5.0  # of one attempt
    attempts: int = 4  # per message and round, the first included
    pause_s: float = 1.0  # before the second attempt; doubles with each attempt
    rest_s: float = 60.0  # between two rounds of attempts of a message that was not delivered
    waiting: int = 1_000  # maximum of messages that wait; beyond it the oldest are dropped
    save_s: float = 1.0  # between two records of what was delivered; after a kill, at most that much is sent again
    last_s: float = 5.0  # timeout for sending queued messages at the end of a session

    def __post_init__(self) -> None:
        require("notify", "timeout_s", self.timeout_s, 0.01, 600)
        require("notify", "attempts", self.attempts, 1, 100)
        require("notify", "pause_s", self.pause_s, 0, 600)
        require("notify", "rest_s", self.rest_s, 0.01, 86_400)
        require("notify", "save_s", self.save_s, 0, 600)
        require("notify", "waiting", self.waiting, 1, 1_000_000)
        require("notify", "last_s", self.last_s, 0, 600)
