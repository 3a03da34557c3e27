"""Settings of the search for member weights and of the regime gate."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class WeightSettings(Section):
    """Member weights fitted on scores out of fold. Strengths are those of the shrinkage to the documented weights."""

    strengths: tuple[float, ...] = (0.0, 0.0001, 0.001, 0.01, 0.1)  # beside an infinite one
    penalties: tuple[float, ...] = (0.0001, 0.001, 0.01, 0.1)  # of the gate's squared coefficients, likewise
    stretches: int = 4  # of the rows that a fold may read; a strength is chosen by weights of earlier ones on the next
    folds: int = 5  # stretches of the outcomes of a paper account
    rows: int = 60_000  # most rows of one fit; of more, whole bars at an even distance
    evolved_rows: int = 10_000  # most rows of one evolution, likewise
    fewest: int = 500  # fewest rows to fit weights on; with fewer they stay the documented ones
    evaluations: int = 150  # of the objective in one evolution
    spread: float = 0.5  # initial standard deviation of the evolution, of logarithms of weights

    def __post_init__(self) -> None:
        for strength in self.strengths:
            require("weights", "strengths", strength, 0, 1e6)
        for penalty in self.penalties:
            require("weights", "penalties", penalty, 1e-9, 1e6)
        require("weights", "stretches", self.stretches, 2, 100)
        require("weights", "folds", self.folds, 2, 1_000)
        require("weights", "rows", self.rows, 100, 1e9)
        require("weights", "evolved_rows", self.evolved_rows, 100, 1e9)
        require("weights", "fewest", self.fewest, 10, 1e9)
        require("weights", "evaluations", self.evaluations, 10, 1_000_000)
        require("weights", "spread", self.spread, 1e-3, 10)
