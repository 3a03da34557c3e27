"""Settings of the bench."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class BenchSettings(Section):
    """Benching of single members. Window and limits of drift are those of the bundle's training, see `[drift]`."""

    apply: bool = True  # benched members abstain; without, `quorate bench` only tells who would be
    failures: int = 3  # of the newest failure_bars bars on which a member failed, at which it is benched; 0: never
    failure_bars: int = 24  # newest bars of a paper account in which failures count
    shelf_days: Mapping[str, float] = field(  # age in days at which a member expires; those it does not name never do
        default_factory=lambda: MappingProxyType({})
    )

    def __post_init__(self) -> None:
        require("bench", "failure_bars", self.failure_bars, 1, 100_000)
        require("bench", "failures", self.failures, 0, self.failure_bars)
        for model, days in self.shelf_days.items():
            require("bench.shelf_days", model, days, 0.01, 1e6)
