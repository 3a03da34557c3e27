"""Settings of members whose networks are pretrained."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.clock import parse_ms
from quorate.core.errors import QuorateError, SettingsError
from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class PretrainedSettings(Section):
    """A frozen network that forecasts prices, and the linear head that is fitted on its forecasts."""

    context: int = 240  # bars whose prices the network reads
    steps: tuple[int, ...] = (1, 5, 24)  # bars ahead at which the head reads the forecast
    rows: int = 2_000  # training rows of the head at most, evenly spaced: every forecast costs tens of ms
    weights: str = ""  # folder of weights of your own; empty for those in the package
    cutoff: str = ""  # date before which the data of the weights ends, as their authors state; empty if they do not
    l2: float = 1.0  # penalty of the head on half the squared weights
    tail: float = 0.001  # quantile at which what the head reads is clipped, on each side

    def require(self, section: str) -> None:
        """Check the ranges.

        Raises:
            SettingsError: a value out of range.
        """
        require(section, "context", self.context, 8, 10_000)
        require(section, "rows", self.rows, 10, 10_000_000)
        require(section, "l2", self.l2, 1e-9, 1e9)
        require(section, "tail", self.tail, 0, 0.25)
        object.__setattr__(self, "steps", tuple(self.steps))
        if not self.steps or list(self.steps) != sorted(set(self.steps)):
            raise SettingsError(
                f"use the setting {section}.steps", found=repr(self.steps), expected="rising numbers of bars"
            )
        for step in self.steps:
            require(section, "steps", step, 1, 10_000)
        try:
            self.cutoff_ms()
        except QuorateError as error:
            raise SettingsError(
                f"use the setting {section}.cutoff", found=repr(self.cutoff), expected="a date, such as 2025-01-31"
            ) from error

    def cutoff_ms(self) -> int | None:
        """The cutoff in ms; None without one."""
        return parse_ms(self.cutoff) if self.cutoff else None


@dataclass(frozen=True, slots=True)
class FracastSettings(PretrainedSettings):
    def __post_init__(self) -> None:
        self.require("models.fracast")
