"""What a target says about each bar, and over which time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy.typing as npt

from quorate.core.types import BoolArray, Candles, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Labels of n bars of one market.

    Attributes:
        y: (n,) what to predict: int8 values of Action for classes, float64 for returns; 0 or NaN where unknown.
        known: (n,) bool, whether the bar has a label. A bar without a full future has none; that is never HOLD.
        span_end: (n,) int64, open time in ms of the bar whose close the label reads last.
        forward_return: (n,) float64, what a long from this close to the label's end earns before costs; NaN where
            unknown.
    """

    y: npt.NDArray[Any]
    known: BoolArray
    span_end: IntArray
    forward_return: FloatArray

    def __len__(self) -> int:
        return len(self.y)


class Target(Protocol):
    """Anything that labels candles."""

    @property
    def horizon(self) -> int:
        """The most bars that a label looks ahead."""
        ...

    def label(self, candles: Candles) -> Labels:
        """Labels of every bar."""
        ...
