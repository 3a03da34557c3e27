"""The interface of sleeves whose signals are forecast by members that are fitted on earlier days."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from quorate.book.panel.daily_panel import DailyPanel
from quorate.book.panel.outcomes import PositionOutcomes
from quorate.book.sleeves.sleeve import Sleeve
from quorate.core.types import Float32Array, FloatArray, IntArray


class SleeveRows(NamedTuple):
    """Rows of features.

    Attributes:
        day, market: (n,) int64, where each row stands in the panel, by day.
        X: (n, F) float32, no NaN.
    """

    day: IntArray
    market: IntArray
    X: Float32Array

    def spread(self, values: FloatArray, panel: DailyPanel) -> FloatArray:
        """(D, S) the values (n,) of the rows, NaN elsewhere."""
        out = np.full(panel.close.shape, np.nan)
        out[self.day, self.market] = values
        return out


class LearnedSleeve(Sleeve):
    """A sleeve whose members are fitted on labels that were known by the first day that they forecast.

    `weights` cannot know the members: a portfolio calls `rows`, has the members forecast them, and calls `combined`.
    """

    @property
    @abstractmethod
    def models(self) -> tuple[str, ...]:
        """Registered names of the members, in order."""

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """(F,) names of the columns of the rows."""

    @property
    @abstractmethod
    def label_days(self) -> int:
        """Days after its own that a row's label needs."""

    @abstractmethod
    def rows(self, panel: DailyPanel, first: int = 0) -> SleeveRows:
        """Features of every market that may be held, on each day from `first`, a row of the panel, on."""

    @abstractmethod
    def labels(self, panel: DailyPanel, outcomes: PositionOutcomes) -> FloatArray:
        """(D, S) what the members learn to forecast; NaN where it cannot be known."""

    @abstractmethod
    def combined(self, panel: DailyPanel, forecasts: Mapping[str, FloatArray]) -> FloatArray:
        """(D, S) target weights from the forecasts (D, S) of the members by name, NaN where one has none.

        A member that failed is left out of the mapping.
        """

    def weights(self, panel: DailyPanel) -> FloatArray:
        return self.combined(panel, {})
