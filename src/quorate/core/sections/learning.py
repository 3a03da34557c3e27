"""What is predicted, on which rows it is learned, and from which features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class TargetSettings(Section):
    """What is predicted: the return over the next `horizon` bars against +-`band` (a fraction)."""

    horizon: int = 5
    band: float = 0.005
    return_horizon: int = 4  # bars, where the return itself is predicted

    def __post_init__(self) -> None:
        require("target", "horizon", self.horizon, 1, 10_000)
        require("target", "return_horizon", self.return_horizon, 1, 10_000)
        require("target", "band", self.band, 0, 1)


@dataclass(frozen=True, slots=True)
class SplitSettings(Section):
    """Shares of the training span, in order of time; what train and validation leave is the test part.

    The validation part is cut in three, again in order of time: fitting, stopping, calibrating and choosing never share
    a row.
    """

    train: float = 0.70
    validation: float = 0.15
    stop: float = 0.30  # of the validation part: tells networks when to stop
    calibrate: float = 0.40  # of the validation part: makes probabilities of scores; the rest of it chooses the policy
    embargo_bars: int = -1  # kept free after a test part; -1: the label's horizon

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
    features: str = "core14"
    seed: int = 7
    threads: int = 0  # 0: every core
    precision: Literal["float32", "int8"] = "float32"  # of networks; int8 where decisions stay the same, and needs VNNI

    def __post_init__(self) -> None:
        require("train", "seed", self.seed, 0, 2**31 - 1)
        require("train", "threads", self.threads, 0, 4096)


@dataclass(frozen=True, slots=True)
class SeriesSettings(Section):
    """Bundles trained one after the other along time."""

    window_days: int = 180  # of each training span

    def __post_init__(self) -> None:
        require("series", "window_days", self.window_days, 1, 100_000)
