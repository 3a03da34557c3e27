"""Document of `/drift`: the one of `quorate drift --json`, with its age."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from quorate.serving.documents.document import Document
from quorate.serving.documents.paper import Pair


class DriftAlarmDocument(Document):
    """An alarm that lasts."""

    detector: Literal["features", "calibration", "skill", "log_loss"]
    since: str
    found: str


class FeatureDriftDocument(Document):
    """A feature over the newest window, beside the training part."""

    name: str
    psi: float = Field(description="Population stability index.")
    psi_limit: float
    ks: float = Field(description="Kolmogorov-Smirnov distance.")
    ks_limit: float
    alarm: bool = Field(description="Whether one is above its limit.")


class ScoreDriftDocument(Document):
    """A figure of the ensemble over the newest window."""

    value: float
    interval: Pair | None = Field(description="By block bootstrap.")
    limit: float
    at_training: float = Field(description="On the held-out rows of the training.")
    alarm: bool


class LogLossRiseDocument(Document):
    """A rise of the log-loss that ADWIN found."""

    at: str
    since: str
    before: float
    after: float
    alarm: bool = Field(description="Whether it was found in the newest window.")


class Drift(Document):
    """The newest check of the bundle in use."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)

    bundle: str
    timeframe: str
    symbols: list[str]
    missing: list[str] = Field(description="Markets of the training without candles.")
    synthetic: bool
    start: str = Field(alias="from", description="First bar that nothing was fitted on.")
    to: str = Field(description="Close of the newest bar.")
    window_days: int
    days: int = Field(description="Whole days that were watched.")
    checked_at: str
    age_s: float = Field(description="Age of the check in seconds.")
    valid: bool = Field(description="Whether it is young enough to count.")
    verdict: Literal["quiet", "drifting", "too_early"]
    since: str | None
    headline: str
    advice: str
    action: Literal["tell", "retrain", "shrink"]
    chance: float = Field(description="Chance of an alarm of the features in a stationary year.")
    alarms: list[DriftAlarmDocument]
    alarm_days: dict[str, int] = Field(description="Days with an alarm since the first bar, by detector.")
    features: list[FeatureDriftDocument] = Field(description="The worst first.")
    skill: ScoreDriftDocument | None
    calibration: ScoreDriftDocument | None
    log_loss_rise: LogLossRiseDocument | None
    lacking: dict[str, str] = Field(description="What is not watched, and why.")
