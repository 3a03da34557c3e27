"""Means over the universe, and the share of its symbols that rose."""

from __future__ import annotations

import numpy as np

from quorate.core.types import FloatArray
from quorate.features.bars import Bars
from quorate.features.column import Column


def _mean(bars_back: int) -> Column:
    def compute(bars: Bars) -> FloatArray:
        market = None if bars.context is None else bars.context.market
        return np.full(len(bars), np.nan) if market is None else market.mean(f"change_{bars_back}", bars.time)

    return Column(f"market_change_{bars_back}", 0, compute, context=True)


def _breadth(bars: Bars) -> FloatArray:
    market = None if bars.context is None else bars.context.market
    return np.full(len(bars), np.nan) if market is None else market.breadth("change_24", bars.time)


COLUMNS = (_mean(1), _mean(4), _mean(24), Column("market_breadth_24", 0, _breadth, context=True))
