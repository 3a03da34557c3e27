"""Premium index: how far the perpetual trades above its index, which the next funding rate follows."""

from __future__ import annotations

from quorate.core.clock import HOUR_MS, timeframe_ms
from quorate.core.types import FloatArray
from quorate.features.bars import Bars
from quorate.features.column import Column
from quorate.features.groups.statistics.published import published_mean


def _mean(hours: int) -> Column:
    def compute(bars: Bars) -> FloatArray:
        # Hours and not bars, since exchanges settle funding by the clock; at least one bar.
        intervals = max(1, hours * HOUR_MS // timeframe_ms(bars.timeframe))
        return published_mean(bars, "premium", intervals)

    return Column(f"premium_{hours}h", 0, compute, context=True)


#: Mean premium at the end of each bar, a fraction of the index.
COLUMNS = tuple(_mean(hours) for hours in (8, 24, 168))
