"""Market statistics in the intervals of a longer timeframe."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quorate.core.clock import bar_offset_ms, newest_closed_ms, timeframe_ms
from quorate.core.types import STATISTICS, FloatArray, IntArray, MarketStatistics

_VOLUMES = ("taker_buy_volume", "taker_sell_volume")


def in_intervals(stored: Sequence[MarketStatistics], timeframe: str, now: int) -> MarketStatistics | None:
    """Statistics of one market in the intervals of a timeframe, from those of several.

    Each value comes from the longest stored timeframe that divides this one and has it. Of shorter intervals the last
    known value counts; volumes are added up, and unknown where an interval is missing; the taker ratio is that of the
    mean share that takers bought, over at least half of the intervals.

    Args:
        stored: of one market, each timeframe once.
        timeframe: of the result.
        now: the current time in ms UTC: intervals that have not ended are left out.

    Returns:
        None where no stored timeframe divides this one.
    """
    length = timeframe_ms(timeframe)
    parts = [part for part in stored if len(part) and length % timeframe_ms(part.timeframe) == 0]
    if not parts:
        return None
    parts.sort(key=lambda part: -timeframe_ms(part.timeframe))
    opened = [_opened(part.time, timeframe) for part in parts]
    time = np.unique(np.concatenate(opened))
    values = {name: np.full(len(time), np.nan) for name in STATISTICS}
    for part, began in zip(parts, opened, strict=True):
        rows, shares = np.searchsorted(time, began), length // timeframe_ms(part.timeframe)
        for name in part.known:
            given = _in_rows(name, part, rows, len(time), shares)
            values[name] = np.where(np.isfinite(values[name]), values[name], given)
    found = MarketStatistics(parts[0].symbol, timeframe, time, **values)
    return found.between(end=newest_closed_ms(timeframe, now) + 1)


def _opened(time: IntArray, timeframe: str) -> IntArray:
    """(n,) when the interval of the timeframe begins that holds each time."""
    length, offset = timeframe_ms(timeframe), bar_offset_ms(timeframe)
    opened: IntArray = (time - offset) // length * length + offset
    return opened


def _in_rows(name: str, part: MarketStatistics, rows: IntArray, count: int, shares: int) -> FloatArray:
    """(count,) values of one statistic, whose intervals belong to `rows`, `shares` of them to each."""
    values: FloatArray = getattr(part, name)
    known = np.isfinite(values)
    rows, values = rows[known], values[known]
    found = np.full(count, np.nan)
    if shares == 1 or name not in (*_VOLUMES, "taker_buy_ratio"):
        found[rows] = values  # the last assignment to a row is that of its latest interval
        return found
    counts = np.bincount(rows, minlength=count)
    if name in _VOLUMES:
        total = np.bincount(rows, weights=values, minlength=count)
        return np.where(counts == shares, total, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.bincount(rows, weights=values / (1.0 + values), minlength=count) / counts
        return np.where(2 * counts >= shares, share / (1.0 - share), np.nan)
