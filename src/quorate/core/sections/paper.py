"""How a paper session runs."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.errors import SettingsError
from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class PaperSettings(Section):
    account: str = "paper"  # its name in the journal
    strategy: str = "quorate"  # part of every order's id
    late_s: float = 60.0  # after an open, beyond which nothing is entered at it any more
    open_patience_s: float = 20.0  # for an open that is not known yet; what is unknown then is not traded at it
    open_pause_s: float = 1.0  # between two questions for it
    journal_pause_s: float = 1.0  # before a journal that does not answer is asked again; doubles each time
    longest_pause_s: float = 30.0

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
