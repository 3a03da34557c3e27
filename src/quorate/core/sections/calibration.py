"""What makes a probability of a score, and an action of a probability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class CalibrationSettings(Section):
    """Rows are those of the calibration slice: later than all that trained the members, earlier than what chooses."""

    folds: int = 4  # stretches of the slice; each but the first is judged by maps fitted on those before it
    rows: int = 300  # least that a map is fitted on
    class_rows: int = 20  # least of each class among them

    def __post_init__(self) -> None:
        require("calibration", "folds", self.folds, 2, 1_000)
        require("calibration", "rows", self.rows, 1, 1e9)
        require("calibration", "class_rows", self.class_rows, 1, 1e9)


@dataclass(frozen=True, slots=True)
class ConformalSettings(Section):
    """Prediction sets that adapt: the share of bars whose class they miss is kept near `miss`."""

    miss: float = 0.1
    rate: float = 0.005  # by which the level moves at each label that becomes known
    window: int = 500  # bars of the rolling coverage

    def __post_init__(self) -> None:
        require("conformal", "miss", self.miss, 1e-4, 0.9999)
        require("conformal", "rate", self.rate, 0, 1)
        require("conformal", "window", self.window, 1, 1e9)


@dataclass(frozen=True, slots=True)
class PolicySettings(Section):
    """Which policy a bundle decides by; "chosen" leaves it to later rows than the calibration's."""

    name: Literal["chosen", "classic", "calibrated"] = "chosen"
    signals: int = 50  # least that thresholds are fitted on, and that a policy is preferred for

    def __post_init__(self) -> None:
        require("policy", "signals", self.signals, 1, 1e9)
