"""Settings of probability calibration, prediction sets and the choice of a policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class CalibrationSettings(Section):
    """Calibration of scores, on rows that the scored model was not fitted on."""

    folds: int = 4  # time folds of the rows; maps fitted on earlier folds are scored on the next one
    rows: int = 300  # fewest rows to fit a map on
    class_rows: int = 20  # fewest rows of each class among them
    days: int = 10  # fewest days on which maps are compared; with fewer the scores stay unchanged

    def __post_init__(self) -> None:
        require("calibration", "folds", self.folds, 2, 1_000)
        require("calibration", "rows", self.rows, 1, 1e9)
        require("calibration", "class_rows", self.class_rows, 1, 1e9)
        require("calibration", "days", self.days, 2, 1e6)


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
    """The policy of a bundle; "chosen" takes the best one if the evidence justifies acting, else "closed"."""

    name: Literal["chosen", "classic", "calibrated", "consensus", "closed"] = "chosen"  # chosen: by the evidence
    folds: int = 5  # stretches of the training span; members are fitted again for each but the first, to predict it
    refit: Literal["fast", "all", "none"] = "fast"  # members to fit again: without slow networks, all, or none
    days: int = 30  # fewest days with signals
    signals: int = 50  # fewest signals
    sides: Literal["both", "any"] = "both"  # both: the rarer of BUY and SELL has a tenth of the signals at least

    def __post_init__(self) -> None:
        require("policy", "folds", self.folds, 2, 1_000)
        require("policy", "days", self.days, 2, 1e6)
        require("policy", "signals", self.signals, 1, 1e9)
