"""Settings of a challenge of the champion."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from quorate.core.errors import SettingsError
from quorate.core.sections.section import Section, require

# With ".challenger" it is the name of an account in the journal.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,52}")


@dataclass(frozen=True, slots=True)
class ChallengeSettings(Section):
    """Paired test of a challenger against the champion. They are fixed when a challenge starts."""

    name: str = "challenge"  # in the journal
    decides: Literal["log_loss", "net_return"] = "log_loss"  # what the challenger has to be better in
    alpha: float = 0.05  # probability of an error of each verdict, at most, however often it is looked at
    horizon_bars: int = 2_016  # after which a challenge ends undecided; 12 weeks of hours
    least_probability: float = 0.01  # forecasts are raised to it, so that no single bar decides
    return_bound: float = 0.05  # a difference of the net returns of one bar counts as this at most

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise SettingsError(
                "use the setting challenge.name",
                found=repr(self.name),
                expected="up to 53 letters, digits, '_', '.' and '-'",
            )
        require("challenge", "alpha", self.alpha, 1e-6, 0.5)
        require("challenge", "horizon_bars", self.horizon_bars, 1, 10_000_000)
        require("challenge", "least_probability", self.least_probability, 1e-6, 0.3)
        require("challenge", "return_bound", self.return_bound, 1e-4, 1)
