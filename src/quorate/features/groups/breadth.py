"""Means over the universe, and the share of its symbols that rose."""

from __future__ import annotations

import numpy as np

from quorate.core.types import FloatArray
from quorate.features.bars import Bars
from quorate.features.column import Column


def _mean(name: str) -> Column:
    def compute(bars: Bars) -> FloatArray:
        market = None if bars.context is None else bars.context.market
        return np.full(len(bars), np.nan) if market is None else market.mean(name, bars.time)

    return Column(f"market_{name}", 0, compute, context=True)


def _breadth(bars: Bars) -> FloatArray:
    market = None if bars.context is None else bars.context.market
    return np.full(len(bars), np.nan) if market is None else market.breadth("change_24", bars.time)


COLUMNS = (
    *map(_mean, ("change_1", "change_4", "change_24", "volatility_20")),
    Column("market_breadth_24", 0, _breadth, context=True),
)
