"""Settings of the networks that have a compact shape alone."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.sections.networks import CompactSettings
from quorate.core.sections.section import require


@dataclass(frozen=True, slots=True)
class DLinearSettings(CompactSettings):
    kernel: int = 25  # bars of the moving average that is the trend
    width: int = 8  # values that the window of each column is mapped to
    individual: bool = False  # layers of its own for each column, instead of shared ones

    def __post_init__(self) -> None:
        self.require("models.dlinear")
        require("models.dlinear", "kernel", self.kernel, 1, 10_000)
        require("models.dlinear", "width", self.width, 1, 65_536)
