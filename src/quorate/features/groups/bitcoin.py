"""Columns of BTC at the time of each bar."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from quorate.core.types import FloatArray
from quorate.features.bars import Bars
from quorate.features.column import Column


def of_btc(name: str) -> Callable[[Bars], FloatArray]:
    """A column of BTC at the time of each bar: (n,) float64, NaN where BTC has no bar or the context has no BTC."""

    def compute(bars: Bars) -> FloatArray:
        reference = None if bars.context is None else bars.context.btc
        return np.full(len(bars), np.nan) if reference is None else reference.at(name, bars.time)

    return compute


COLUMNS = (
    Column("btc_change_1", 0, of_btc("change_1"), context=True),
    Column("btc_change_4", 0, of_btc("change_4"), context=True),
    Column("btc_change_24", 0, of_btc("change_24"), context=True),
    Column("btc_volatility_20", 0, of_btc("volatility_20"), context=True),
)
