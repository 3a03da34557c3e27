"""Rows, labels and the days by which the labels were known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quorate.book.panel.daily_panel import DailyPanel
from quorate.book.panel.outcomes import PositionOutcomes
from quorate.book.sleeves.learned import LearnedSleeve, SleeveRows
from quorate.core.types import Float32Array, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class LearningRows:
    """What the members of a learned sleeve are fitted on and forecast.

    Attributes:
        rows: of all days.
        y: (n,) labels; NaN where unknown.
        label_days: days after its own that a label needs.
    """

    rows: SleeveRows
    y: FloatArray
    label_days: int

    @classmethod
    def of(cls, sleeve: LearnedSleeve, panel: DailyPanel, outcomes: PositionOutcomes) -> LearningRows:
        """Of a sleeve over a panel."""
        rows = sleeve.rows(panel)
        return cls(rows, sleeve.labels(panel, outcomes)[rows.day, rows.market], sleeve.label_days)

    def known_by(self, day: int) -> tuple[Float32Array, FloatArray]:
        """(m, F) and (m,) the rows whose labels were known when the day began: all of a label's days had ended."""
        chosen = (self.rows.day < day - self.label_days) & np.isfinite(self.y)
        return self.rows.X[chosen], self.y[chosen]

    def between(self, first: int, end: int) -> IntArray:
        """Numbers of the rows of these days, the end exclusive."""
        return np.arange(*np.searchsorted(self.rows.day, (first, end)))
