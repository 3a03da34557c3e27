"""Target weights of every sleeve and of the whole book."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from quorate.book.panel.daily_panel import DailyPanel
from quorate.book.portfolio.volatility_target import volatility_scale
from quorate.book.sleeves.learned import LearnedSleeve
from quorate.book.sleeves.sleeve import Sleeve
from quorate.core.settings import BookSettings
from quorate.core.types import FloatArray

#: Sleeve -> member -> (D, S) forecasts.
Forecasts = Mapping[str, Mapping[str, FloatArray]]


@dataclass(frozen=True, slots=True, eq=False)
class SleeveWeights:
    """Target weights by sleeve, before the limits of the account.

    Attributes:
        daily: sleeve -> (D, S), scaled to the target volatility.
        by_bar: sleeve -> (B + 1, S), of the sleeves that decide at each bar.
        scale: sleeve -> (D,) the factor of each daily one.
    """

    daily: Mapping[str, FloatArray]
    by_bar: Mapping[str, FloatArray]
    scale: Mapping[str, FloatArray]

    @classmethod
    def of(
        cls, sleeves: Sequence[Sleeve], panel: DailyPanel, forecasts: Forecasts, settings: BookSettings
    ) -> SleeveWeights:
        """The weights of these sleeves over a panel.

        Args:
            sleeves: in order.
            panel: of all markets.
            forecasts: of the members of learned sleeves; without them such a sleeve holds nothing.
            settings: of the book.
        """
        daily, by_bar, scale = {}, {}, {}
        for sleeve in sleeves:
            if isinstance(sleeve, LearnedSleeve):
                weights = sleeve.combined(panel, forecasts.get(sleeve.name, {}))
            else:
                weights = sleeve.weights(panel)
            if sleeve.by_bar:
                by_bar[sleeve.name] = weights
            else:
                scale[sleeve.name] = volatility_scale(weights, panel.close, settings)
                daily[sleeve.name] = weights * scale[sleeve.name][:, None]
        return cls(daily, by_bar, scale)

    def daily_total(self, panel: DailyPanel) -> FloatArray:
        """(D, S) sum of the daily sleeves."""
        return sum(self.daily.values(), np.zeros(panel.close.shape))

    def bar_total(self, panel: DailyPanel) -> FloatArray:
        """(B + 1, S) sum of the sleeves by bar."""
        return sum(self.by_bar.values(), np.zeros((len(panel.grid.time) + 1, len(panel.symbols))))

    def without(self, name: str) -> SleeveWeights:
        """All sleeves but one."""
        return self.only(*(each for each in (*self.daily, *self.by_bar) if each != name))

    def only(self, *chosen: str) -> SleeveWeights:
        """Some of the sleeves."""
        return SleeveWeights(
            {name: weights for name, weights in self.daily.items() if name in chosen},
            {name: weights for name, weights in self.by_bar.items() if name in chosen},
            {name: factor for name, factor in self.scale.items() if name in chosen},
        )
