"""Market statistics at bars, by bar time.

The statistics are those of the bars' own timeframe, so that the interval of a bar ends when the bar closes: a bar knows
the row of its own time and those before it, and none that follows.
"""

from __future__ import annotations

import numpy as np

from quorate.core.clock import timeframe_ms
from quorate.core.types import FloatArray, IntArray, MarketStatistics
from quorate.features import rolling
from quorate.features.bars import Bars

# Share of a window's intervals whose value must be known: the exchange leaves some out, and a mean is known without.
_KNOWN = 0.75


def published(bars: Bars, name: str, bars_back: int = 0) -> FloatArray:
    """A statistic in the interval of each bar, or of the bar so many intervals before it by the clock.

    Args:
        bars: n bars of one market.
        name: one of `STATISTICS`, or "taker_buy_share".
        bars_back: intervals before the bar's.

    Returns:
        (n,) float64, NaN where the context has no such value.
    """
    found = np.full(len(bars), np.nan)
    statistics = _of(bars)
    if statistics is None or not len(statistics):
        return found
    wanted = bars.time - bars_back * timeframe_ms(bars.timeframe)
    rows = np.minimum(np.searchsorted(statistics.time, wanted), len(statistics) - 1)
    there = statistics.time[rows] == wanted
    found[there] = getattr(statistics, name)[rows[there]]
    return found


def published_mean(bars: Bars, name: str, intervals: int) -> FloatArray:
    """Mean of a statistic over the newest intervals up to each bar's, by the clock and not by the bars there are.

    Args:
        bars: n bars of one market.
        name: as for `published`.
        intervals: length of the window.

    Returns:
        (n,) float64 mean of the known values; NaN where less than three quarters of the window are known.
    """
    found = np.full(len(bars), np.nan)
    statistics = _of(bars)
    if statistics is None or not len(statistics) or not len(bars):
        return found
    length = timeframe_ms(bars.timeframe)
    begin = int(bars.time[0]) - (intervals - 1) * length
    places = _places(bars.time, begin, length)
    size = int(places.max()) + 1
    rows = _places(statistics.time, begin, length)
    values: FloatArray = getattr(statistics, name)
    inside = (rows >= 0) & (rows < size) & np.isfinite(values)
    terms = np.zeros((2, size))
    terms[0, rows[inside]], terms[1, rows[inside]] = values[inside], 1.0
    total, count = rolling.sums(terms).over(intervals)
    on_grid = places >= intervals - 1
    sums, counts = total[places[on_grid] - intervals + 1], count[places[on_grid] - intervals + 1]
    found[on_grid] = np.where(counts >= _KNOWN * intervals, sums / np.maximum(counts, 1.0), np.nan)
    return found


def _places(time: IntArray, begin: int, length: int) -> IntArray:
    """(n,) intervals since `begin`; -1 for a time that is not a whole number of intervals after it."""
    found: IntArray = np.where((time - begin) % length == 0, (time - begin) // length, -1)
    return found


def _of(bars: Bars) -> MarketStatistics | None:
    return None if bars.context is None else bars.context.statistics
