"""Who crosses the spread: the share of the volume that takers bought, less half."""

from __future__ import annotations

from quorate.core.types import FloatArray
from quorate.features.bars import Bars
from quorate.features.column import Column
from quorate.features.groups.statistics.published import published_mean

_HALF = 0.5


def _share(bars_back: int) -> Column:
    def compute(bars: Bars) -> FloatArray:
        return published_mean(bars, "taker_buy_share", bars_back) - _HALF

    return Column(f"taker_buy_{bars_back}", 0, compute, context=True)


#: Mean over the bars of each bar's share, -0.5 to 0.5: one busy bar does not outweigh the others.
COLUMNS = tuple(_share(bars_back) for bars_back in (1, 24, 168))
