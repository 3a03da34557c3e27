"""The rank of a symbol's columns among those of the universe."""

from __future__ import annotations

import numpy as np

from quorate.core.types import FloatArray
from quorate.features.bars import Bars
from quorate.features.column import Column
from quorate.features.groups import price, volatility, volume

# Columns that are compared across symbols. All are fractions, so that float32 keeps seven digits of them.
COMPARED: dict[str, Column] = {
    column.name: column
    for column in (*price.COLUMNS, *volatility.COLUMNS, *volume.COLUMNS)
    if column.name in {"change_1", "change_4", "change_24", "volatility_20", "volume_ma_ratio"}
}


def _rank(name: str, compared: str) -> Column:
    column = COMPARED[compared]

    def compute(bars: Bars) -> FloatArray:
        market = None if bars.context is None else bars.context.market
        if market is None:
            return np.full(len(bars), np.nan)
        values = np.asarray(column.compute(bars), np.float64)
        return market.rank(compared, bars.symbol, bars.time[len(bars) - len(values) :], values)

    return Column(name, column.warmup, compute, context=True)


COLUMNS = (
    _rank("rank_change_4", "change_4"),
    _rank("rank_change_24", "change_24"),
    _rank("rank_volatility_20", "volatility_20"),
    _rank("rank_volume_20", "volume_ma_ratio"),
)
