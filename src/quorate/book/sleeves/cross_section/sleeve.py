"""The cross-section of trends as a sleeve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from quorate.book.panel.daily_panel import DailyPanel
from quorate.book.panel.outcomes import PositionOutcomes
from quorate.book.panel.rolling import shifted
from quorate.book.sleeves.cross_section.columns import COLUMNS, LONGEST, ranked_rows
from quorate.book.sleeves.cross_section.consensus import agreed_weights
from quorate.book.sleeves.learned import LearnedSleeve, SleeveRows
from quorate.book.sleeves.sides import smoothed
from quorate.core.types import FloatArray


class TrendCrossSection(LearnedSleeve):
    """Markets that the members expect to do better than the others, against those expected to do worse.

    The members forecast the return over the horizon less the universe's mean, in units of the market's volatility.
    """

    name: ClassVar[str] = "cross_section"

    @property
    def lookback_days(self) -> int:
        return LONGEST + self.settings.smooth_days

    @property
    def models(self) -> tuple[str, ...]:
        return self.settings.members

    @property
    def columns(self) -> tuple[str, ...]:
        return COLUMNS

    @property
    def label_days(self) -> int:
        return self.settings.horizon_days

    def rows(self, panel: DailyPanel, first: int = 0) -> SleeveRows:
        return ranked_rows(panel, panel.universe(self.settings.markets), first)

    def labels(self, panel: DailyPanel, outcomes: PositionOutcomes) -> FloatArray:
        days, clip = self.settings.horizon_days, self.settings.clip
        with np.errstate(divide="ignore", invalid="ignore"):
            forward = np.log(shifted(outcomes.fill, -days) / outcomes.fill)
        known = panel.universe(self.settings.markets) & np.isfinite(forward)
        total = np.where(known, forward, 0.0).sum(axis=1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            residual = forward - total / known.sum(axis=1, keepdims=True)
            return np.asarray(np.clip(residual / (panel.volatility * np.sqrt(days)), -clip, clip))

    def combined(self, panel: DailyPanel, forecasts: Mapping[str, FloatArray]) -> FloatArray:
        among = panel.universe(self.settings.markets)
        weights = agreed_weights(
            list(forecasts.values()),
            panel.volatility,
            among,
            quorum=self.settings.quorum,
            outer=self.settings.outer,
        )
        return smoothed(weights, self.settings.smooth_days)
