"""The interface of every sleeve: a panel in, target weights out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

from quorate.book.panel.daily_panel import DailyPanel
from quorate.core.settings import BookSettings
from quorate.core.types import FloatArray

Need = Literal["candles", "funding"]


class Sleeve(ABC):
    """Target weights of one effect, decided at the start of each day or of each 4-hour bar.

    A row of weights reads the panel's rows up to its own only. Shapes: D days, S markets, B bars of 4 hours.

    Class attributes:
        name: its name in the registry.
        needs: data that it reads; a market without one of them has no weight.
        by_bar: whether it decides at each bar of 4 hours: its weights are then (B + 1, S), of the moments of the
            panel's grid, and are used as they are. Else they are (D, S), and the portfolio scales them to its target
            volatility.

    Args:
        settings: of the book.
    """

    name: ClassVar[str]
    needs: ClassVar[frozenset[Need]] = frozenset({"candles"})
    by_bar: ClassVar[bool] = False

    def __init__(self, settings: BookSettings) -> None:
        self.settings = settings

    @property
    @abstractmethod
    def lookback_days(self) -> int:
        """Days of history before a row's weights are those of any longer history, but for decayed averages."""

    @abstractmethod
    def weights(self, panel: DailyPanel) -> FloatArray:
        """Signed target weights, 0 where a market is not held; never NaN."""
