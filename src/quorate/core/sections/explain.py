"""Settings of explanations of signals."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class ExplainSettings(Section):
    """Explanations of signals."""

    background: int = 8  # earlier bars of the market that a bar is compared with; the time grows in proportion
    report_bars: int = 24  # bars whose contributions the report of an evaluation averages; 0 for none

    def __post_init__(self) -> None:
        require("explain", "background", self.background, 1, 400)
        require("explain", "report_bars", self.report_bars, 0, 10_000)
