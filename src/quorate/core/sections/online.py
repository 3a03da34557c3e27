"""Settings of a challenger that learns on."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class OnlineSettings(Section):
    """Online learning: trees are added to a bundle's boosted trees, on the newest rows whose labels have matured."""

    every_bars: int = 24  # between two fits, at bars whose number since 1970 is a multiple of it
    trees: int = 5  # added to those of the bundle, for each class; every fit begins at the bundle's own again
    rate: float = 0.5  # of the member's learning rate
    least_rows: int = 500  # of all markets; with fewer the bundle decides as it was trained

    def __post_init__(self) -> None:
        require("online", "every_bars", self.every_bars, 1, 200)
        require("online", "trees", self.trees, 1, 1_000)
        require("online", "rate", self.rate, 0.001, 1)
        require("online", "least_rows", self.least_rows, 1, 10_000_000)
