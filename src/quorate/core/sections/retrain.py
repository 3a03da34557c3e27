"""Settings of retraining: its schedule, its span, the gate, and which bundles are kept."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.errors import SettingsError
from quorate.core.sections.section import Section, require

# Minute, hour, day of the month, month, day of the week.
_CRON_FIELDS = 5


@dataclass(frozen=True, slots=True)
class RetrainSettings(Section):
    """Retraining on a schedule, and the gate between a new bundle and the champion's place."""

    cron: str = "0 3 * * 1"  # when, in UTC: minute, hour, day, month, weekday
    data: str = ""  # for the job of a service with live candles: folder that they are downloaded into
    span_days: int = 0  # length of the training span; 0: whole days as long as the champion's
    anchored: bool = False  # begin where the champion's training span begins, so that the span grows
    attempts: int = 3  # at one scheduled run, killed and failed ones
    retry_hours: float = 1.0  # from a failed attempt to the next
    margin: float = 0.003  # most by which the loss may exceed the champion's, as a share of the champion's
    confidence: float = 0.95  # of the one-sided bound that is held against the margin
    ece: float = 0.05  # highest calibration error; an error above it passes where the champion's is no lower
    keep: int = 16  # newest bundles of retraining that stay, beside champions; a challenge may last 12 weeks
    rollbacks: int = 3  # champions before the present one that stay, for a rollback

    def __post_init__(self) -> None:
        if len(self.cron.split()) != _CRON_FIELDS:
            raise SettingsError(
                "use the setting retrain.cron",
                found=repr(self.cron),
                expected="minute, hour, day, month and weekday in UTC, such as '0 3 * * 1' for Mondays at 03:00",
            )
        require("retrain", "span_days", self.span_days, 0, 100_000)
        require("retrain", "attempts", self.attempts, 1, 100)
        require("retrain", "retry_hours", self.retry_hours, 0, 24 * 366)
        require("retrain", "margin", self.margin, 0, 1)
        require("retrain", "confidence", self.confidence, 0.5, 0.9999)
        require("retrain", "ece", self.ece, 0, 1)
        require("retrain", "keep", self.keep, 1, 100_000)
        require("retrain", "rollbacks", self.rollbacks, 1, 1_000)
