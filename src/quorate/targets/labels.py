"""Labels of bars, and the protocol of targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy.typing as npt

from quorate.core.types import BoolArray, Candles, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Labels of n bars of one market.

    Attributes:
        y: (n,) labels: int8 values of Action for classes, float64 for returns; HOLD or NaN where unknown.
        known: (n,) bool, whether the bar has a label; False where later bars are missing, which is not HOLD.
        span_end: (n,) int64, open time in ms UTC of the last bar whose close the label uses.
        forward_return: (n,) float64, return of a long from this close to the end of the label before costs; NaN where
            unknown.
    """

    y: npt.NDArray[Any]
    known: BoolArray
    span_end: IntArray
    forward_return: FloatArray

    def __len__(self) -> int:
        return len(self.y)


class Target(Protocol):
    """Protocol of a target: labels for candles."""

    @property
    def horizon(self) -> int:
        """Maximum number of bars that a label looks ahead."""
        ...

    def label(self, candles: Candles) -> Labels:
        """Label every bar."""
        ...
