"""Settings of explanations of signals."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class ExplainSettings(Section):
    """Explanations of signals."""

    background: int = 8  # earlier bars of the market that a bar is compared with; the time grows in proportion

    def __post_init__(self) -> None:
        require("explain", "background", self.background, 1, 400)
