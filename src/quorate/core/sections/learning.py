"""Settings of targets, splits and training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class TargetSettings(Section):
    """Prediction target: the class of the return over the next `horizon` bars, by a band of +-`band` around 0."""

    horizon: int = 5  # bars
    band: float = 0.005  # HOLD within it
    return_horizon: int = 4  # bars, where the return itself is the target

    def __post_init__(self) -> None:
        require("target", "horizon", self.horizon, 1, 10_000)
        require("target", "return_horizon", self.return_horizon, 1, 10_000)
        require("target", "band", self.band, 0, 1)


@dataclass(frozen=True, slots=True)
class SplitSettings(Section):
    """Shares of the training span, in order of time; the rest after train and validation is the test part.

    The validation part has three slices, in order of time: early stopping, calibration and the choice of a policy. No
    two of them share a row.
    """

    train: float = 0.70  # share of the span
    validation: float = 0.15  # share of the span
    stop: float = 0.30  # share of the validation part for early stopping
    calibrate: float = 0.40  # share of the validation part for calibration; the rest chooses the policy
    embargo_bars: int = -1  # left out after a test part; -1: the label's horizon

    def __post_init__(self) -> None:
        require("split", "embargo_bars", self.embargo_bars, -1, 10_000)
        require("split", "train", self.train, 0.05, 1)
        require("split", "validation", self.validation, 0, 0.95)
        require("split", "train + validation", self.train + self.validation, 0, 1)
        require("split", "stop", self.stop, 0, 1)
        require("split", "calibrate", self.calibrate, 0, 1)
        require("split", "stop + calibrate", self.stop + self.calibrate, 0, 1)


@dataclass(frozen=True, slots=True)
class TrainSettings(Section):
    """Training of a bundle."""

    features: str = "core30"  # feature set
    head: Literal["move", "classes"] = "move"  # of a vote: direction shrunk by its evidence, or scores as they are
    seed: int = 7  # of all random numbers
    threads: int = 0  # of one fit; 0: all cores, in a walk-forward one
    workers: int = 0  # processes that fit the models of a walk-forward; 0: by the cores and memory that are free
    precision: Literal["float32", "int8"] = "float32"  # of networks; int8 where decisions stay the same, needs VNNI

    def __post_init__(self) -> None:
        require("train", "seed", self.seed, 0, 2**31 - 1)
        require("train", "threads", self.threads, 0, 4096)
        require("train", "workers", self.workers, 0, 4096)


@dataclass(frozen=True, slots=True)
class SeriesSettings(Section):
    """Series of bundles trained on rolling windows."""

    window_days: int = 180  # length of each training span

    def __post_init__(self) -> None:
        require("series", "window_days", self.window_days, 1, 100_000)
