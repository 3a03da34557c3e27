"""Funding rates, which longs pay to shorts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from quorate.core.clock import DAY_MS, timeframe_ms
from quorate.core.types import FloatArray
from quorate.features.bars import Bars
from quorate.features.column import Column

# Settlements are 1 to 8 hours apart: where the newest is older, the file ends too early and the rate is not known.
_AGE_MS = DAY_MS


def _mean(settlements: int) -> Callable[[Bars], FloatArray]:
    """Mean rate of the newest settlements, a fraction; NaN where they are missing or too old."""

    def compute(bars: Bars) -> FloatArray:
        rates = np.full(len(bars), np.nan)
        funding = None if bars.context is None else bars.context.funding
        if funding is None or len(funding) < settlements:
            return rates
        closes = bars.time + timeframe_ms(bars.timeframe)
        newest = np.searchsorted(funding.time, closes, side="right") - 1
        known = newest >= settlements - 1
        known[known] = closes[known] - funding.time[newest[known]] <= _AGE_MS
        rows = newest[known]
        rates[known] = np.mean([funding.rate[rows - age] for age in range(settlements)], axis=0)
        return rates

    return compute


COLUMNS = (
    Column("funding_rate", 0, _mean(1), context=True),
    Column("funding_mean_3", 0, _mean(3), context=True),
)
