"""Settings of the search for better settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from quorate.core.errors import SettingsError
from quorate.core.sections.section import Section, require

#: What a search may vary.
Varied = Literal["members", "features", "horizon", "band"]


@dataclass(frozen=True, slots=True)
class TuneSettings(Section):
    """Search for settings of the members, the feature set, the horizon and the band, see `quorate tune`."""

    study: str = "tuning"  # folder of the study
    minutes: float = 10.0  # budget of a study over all its runs
    workers: int = 1  # processes, each with one trial
    over: tuple[Varied, ...] = ("members", "features", "horizon", "band")  # what is searched
    features: tuple[str, ...] = ("core14", "core30", "full65")  # feature sets, beside that of train.features
    horizons: tuple[int, ...] = (3, 4, 5, 6, 8, 12)  # bars, beside target.horizon
    bands: tuple[float, float] = (0.0025, 0.01)  # least and largest band
    folds: int = 4  # test spans of the search
    judge: float = 0.25  # share of the span, at its end, that judges the winner once and no trial reads
    block_days: int = 3  # length of the blocks by which trials are compared in pairs
    prune: float = 0.05  # a trial ends early where the Wilcoxon test finds it worse at this p-value; 0: never
    startup: int = 10  # trials drawn at random before the others are drawn by those that did well

    def __post_init__(self) -> None:
        require("tune", "minutes", self.minutes, 0, 1e6)
        require("tune", "workers", self.workers, 1, 4096)
        for name, allowed in (("over", get_args(Varied)), ("features", ()), ("horizons", ())):
            values = getattr(self, name)
            if isinstance(values, str) or (name == "over" and not values) or (allowed and set(values) - set(allowed)):
                expected = f"some of {', '.join(allowed)}" if allowed else "a list"
                raise SettingsError(f"use the setting tune.{name}", found=repr(values), expected=expected)
        for horizon in self.horizons:
            require("tune", "horizons", horizon, 1, 10_000)
        low, high = self.bands
        require("tune", "bands", low, 1e-6, high)
        require("tune", "bands", high, low, 1)
        require("tune", "folds", self.folds, 1, 1_000)
        require("tune", "judge", self.judge, 0.05, 0.9)
        require("tune", "block_days", self.block_days, 1, 366)
        require("tune", "prune", self.prune, 0, 0.5)
        require("tune", "startup", self.startup, 1, 100_000)
