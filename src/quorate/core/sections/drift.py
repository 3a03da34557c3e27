"""Settings of the watch for drift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from quorate.core.errors import SettingsError
from quorate.core.sections.section import Section, require

DriftAction = Literal["tell", "retrain", "shrink"]


@dataclass(frozen=True, slots=True)
class DriftSettings(Section):
    """Watch for drift. Window, blocks and chance are used in training, which sets the limits of its bundle by them."""

    window_days: int = 14  # newest days that are compared with the training
    block_days: int = 0  # days that the block bootstrap draws together; 0: an 18th of the known ones, 7 to 28
    chance: float = 0.1  # that a stationary year crosses a limit of the features; also of calibration, and of skill
    resamples: int = 200  # years drawn to set the limits
    cells: int = 10  # of a feature's distribution, each with about as many rows of the training part
    adwin_delta: float = 0.002  # of ADWIN on the log-loss: its chance of a false cut
    action: DriftAction = "tell"  # on an alarm: only tell; also retrain early; or also shrink the stakes of new entries
    shrink: float = 0.5  # share of the ordinary stake while an alarm stands, with the action shrink
    valid_days: float = 3.0  # age after which a check does not count; also the least time between early retrainings
    seed: int = 7  # of the draws

    def __post_init__(self) -> None:
        require("drift", "window_days", self.window_days, 1, 3_650)
        require("drift", "block_days", self.block_days, 0, 3_650)
        require("drift", "chance", self.chance, 1e-4, 0.5)
        require("drift", "resamples", self.resamples, 20, 100_000)
        require("drift", "cells", self.cells, 2, 100)
        require("drift", "adwin_delta", self.adwin_delta, 1e-9, 0.5)
        if self.action not in get_args(DriftAction):
            raise SettingsError(
                "use the setting drift.action", found=repr(self.action), expected=", ".join(get_args(DriftAction))
            )
        require("drift", "shrink", self.shrink, 0.01, 0.99)
        require("drift", "valid_days", self.valid_days, 0.01, 3_650)
        require("drift", "seed", self.seed, 0, 2**31 - 1)
