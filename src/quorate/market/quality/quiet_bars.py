"""Quiet bars: bars of one price and no volume.

An exchange gives such a bar for an interval without a trade, and it is a candle like any other: in files, frames,
live feeds, training, backtests and Freqtrade. It is counted wherever candles are reported. A bar that is missing is a
gap. Freqtrade fills gaps with bars that look the same; `filled_bars` finds these where the stored bars are known.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from quorate.core.types import BarColumns, BoolArray, Candles, IntArray


def quiet_bars(bars: BarColumns) -> BoolArray:
    """(n,) bool: bars whose open, high, low and close are equal and whose volume is 0."""
    quiet: BoolArray = (bars.volume == 0) & (bars.high == bars.low) & (bars.open == bars.close)
    return quiet


def count_quiet(panel: Mapping[str, Candles], start: int | None = None, end: int | None = None) -> dict[str, int]:
    """Symbol -> number of quiet bars from `start` to `end` (ms, exclusive), for the symbols that have any."""
    counts = {
        symbol: int(np.count_nonzero(quiet_bars(candles.between(start, end)))) for symbol, candles in panel.items()
    }
    return {symbol: count for symbol, count in counts.items() if count}


def filled_bars(bars: BarColumns, stored: IntArray | None) -> BoolArray:
    """(n,) bool: quiet bars that are not stored, so that another program has filled a gap with them.

    Args:
        bars: n bars.
        stored: open times in ms of the bars that the market has; None where unknown, and no bar then counts as filled.
    """
    if stored is None:
        return np.zeros(len(bars.time), dtype=np.bool_)
    return quiet_bars(bars) & ~np.isin(bars.time, stored)
