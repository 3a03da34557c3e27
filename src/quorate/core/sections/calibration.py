"""Settings of probability calibration, prediction sets and the choice of a policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class CalibrationSettings(Section):
    """Calibration of scores, on rows after the training rows and before those that choose a policy."""

    folds: int = 4  # time folds of the slice; maps fitted on earlier folds are scored on the next one
    rows: int = 300  # fewest rows to fit a map on
    class_rows: int = 20  # fewest rows of each class among them

    def __post_init__(self) -> None:
        require("calibration", "folds", self.folds, 2, 1_000)
        require("calibration", "rows", self.rows, 1, 1e9)
        require("calibration", "class_rows", self.class_rows, 1, 1e9)


@dataclass(frozen=True, slots=True)
class ConformalSettings(Section):
    """Adaptive conformal prediction sets: the share of bars whose class they miss is kept near `miss`."""

    miss: float = 0.1  # target share of misses
    rate: float = 0.005  # step size of the level's update at each label that becomes known
    window: int = 500  # bars over which rolling coverage is measured

    def __post_init__(self) -> None:
        require("conformal", "miss", self.miss, 1e-4, 0.9999)
        require("conformal", "rate", self.rate, 0, 1)
        require("conformal", "window", self.window, 1, 1e9)


@dataclass(frozen=True, slots=True)
class PolicySettings(Section):
    """The policy of a bundle; "chosen" selects it on rows after those of the calibration."""

    name: Literal["chosen", "classic", "calibrated", "consensus", "closed"] = "chosen"  # chosen: the better one
    signals: int = 50  # fewest signals to fit thresholds on, and to prefer a policy by

    def __post_init__(self) -> None:
        require("policy", "signals", self.signals, 1, 1e9)
