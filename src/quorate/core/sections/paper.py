"""Settings of paper sessions."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.errors import SettingsError
from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class PaperSettings(Section):
    """Paper account and its session."""

    account: str = "paper"  # name in the journal
    strategy: str = "quorate"  # part of every order's id
    late_s: float = 60.0  # after an open, beyond which no position is entered at it
    open_patience_s: float = 20.0  # timeout for an open price; markets without one are not traded at that bar
    open_pause_s: float = 1.0  # between two requests for it
    journal_pause_s: float = 1.0  # before a retry when the journal is unavailable; doubles each time
    longest_pause_s: float = 30.0  # maximum of that pause

    def __post_init__(self) -> None:
        for name in ("account", "strategy"):
            if not getattr(self, name).strip() or "\n" in getattr(self, name):
                raise SettingsError(
                    f"use the setting paper.{name}", found=repr(getattr(self, name)), expected="a name on one line"
                )
        require("paper", "late_s", self.late_s, 0, 86_400)
        require("paper", "open_patience_s", self.open_patience_s, 0, 86_400)
        require("paper", "open_pause_s", self.open_pause_s, 0.01, 600)
        require("paper", "journal_pause_s", self.journal_pause_s, 0.01, 600)
        require("paper", "longest_pause_s", self.longest_pause_s, 0.01, 3600)
