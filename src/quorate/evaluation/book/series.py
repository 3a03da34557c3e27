"""Series of a judgement by day, for charts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from quorate.book.portfolio.positions import WeightReturns
from quorate.core.types import FloatArray, IntArray
from quorate.evaluation.book.case import BookCase


@dataclass(frozen=True, slots=True, eq=False)
class BookSeries:
    """The judged days.

    Attributes:
        time: (days,) starts in ms.
        net: (days,) returns of the book.
        beside: holding -> (days,) net returns.
        sleeves: sleeve -> (days,) net returns alone.
        sleeve_exposure: sleeve -> (days,) sum of the sizes of its weights, alone.
        exposure: (days,) sum of the sizes of the weights.
        side: (days,) sum of the weights.
        turnover: (days,) sum of the sizes of all changes.
        symbols: of the columns of `weights`.
        weights: (days, S) held.
    """

    time: IntArray
    net: FloatArray
    beside: Mapping[str, FloatArray]
    sleeves: Mapping[str, FloatArray]
    sleeve_exposure: Mapping[str, FloatArray]
    exposure: FloatArray
    side: FloatArray
    turnover: FloatArray
    symbols: tuple[str, ...]
    weights: FloatArray

    @classmethod
    def of(cls, case: BookCase, held: Mapping[str, WeightReturns], own: Mapping[str, WeightReturns]) -> BookSeries:
        """Of a case, what stands beside it, and its sleeves alone."""
        days = case.days
        return cls(
            time=case.span.time[days],
            net=case.net,
            beside={name: returns.net[days] for name, returns in held.items()},
            sleeves={name: returns.net[days] for name, returns in own.items()},
            sleeve_exposure={name: returns.exposure[days] for name, returns in own.items()},
            exposure=case.whole.exposure[days],
            side=case.whole.side[days],
            turnover=case.whole.turnover[days],
            symbols=case.panel.symbols,
            weights=np.asarray(case.held[days]),
        )
