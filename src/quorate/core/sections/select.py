"""Settings of the selection of members."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class SelectSettings(Section):
    """Which members of a large ensemble vote; the others run and are scored. Chosen by benchmarks/selection.py."""

    size: int = 0  # members that vote; 0: all
    days: int = 28  # of matured labels by which members are chosen, at every midnight UTC
    margin: float = 0.0002  # log-loss that another set has to save, as a share of the class prior's
    tenure_days: int = 14  # for which a member that was chosen stays at least
    swaps: int = 1  # members that may change at one midnight; those that abstain are replaced besides

    def __post_init__(self) -> None:
        require("select", "size", self.size, 0, 1_000)
        require("select", "days", self.days, 1, 3_650)
        require("select", "margin", self.margin, 0, 1)
        require("select", "tenure_days", self.tenure_days, 0, 3_650)
        require("select", "swaps", self.swaps, 1, 1_000)
