"""Plausibility of the newest prices of a live feed, by the limits of a single-candle spike.

The check of stored candles compares a bar with both its neighbours. The newest bar has no later neighbour yet, so one
that exceeds the earlier neighbour by the limits of a spike is doubtful, until a later bar or the mark price agrees with
it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from quorate.core.clock import timeframe_ms
from quorate.core.scale_changes import ADJACENT
from quorate.core.sections.market import QualitySettings
from quorate.core.types import BarColumns, BoolArray, FloatArray, IntArray

# Closes whose median move is the usual one.
_NEWEST = 200


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """Result of `judge`.

    Attributes:
        believed: (n,) bool, rows that can be used.
        doubtful: (n,) bool, the newest row where nothing agrees with it yet.
    """

    believed: BoolArray
    doubtful: BoolArray


def limit(close: FloatArray, bars: int, settings: QualitySettings | None = None) -> float:
    """Fraction by which a price may exceed an earlier one.

    Args:
        close: (n,) earlier closes; the newest 200 are used.
        bars: number of bars between the two prices.
        settings: limits of a spike; None for the defaults.
    """
    settings = settings or QualitySettings()
    newest = close[-_NEWEST:]
    usual = float(np.median(np.abs(np.diff(newest) / newest[:-1]))) if len(newest) > 1 else 0.0
    return max(settings.spike, settings.spike_moves * usual) * sqrt(max(1, bars))


def excess(high: float, low: float, other_high: float, other_low: float) -> float:
    """Fraction by which a range of prices exceeds another one, upwards or downwards; negative inside it."""
    return max(high / other_high, other_low / low) - 1


def judge(before: BarColumns, rows: BarColumns, timeframe: str, settings: QualitySettings | None = None) -> Judgement:
    """Judge closed bars by the bar before and the bar after each.

    A bar within the limits of the bar before it, or of the bar after it, is believed. One that both contradict is a
    spike: it is believed, as in stored candles, unless it exceeds them by the factor of a change of scale (`ADJACENT`).
    The newest one beyond the limits is doubtful.

    Args:
        before: believed bars before the rows, possibly none.
        rows: (n) closed, checked bars, sorted and without duplicates. The first is believed where `before` is empty.
        timeframe: of both.
        settings: limits; None for the defaults.
    """
    settings = settings or QualitySettings()
    n = len(rows)
    doubtful, false = np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_)
    columns = [
        np.concatenate([getattr(before, name)[-_NEWEST:], getattr(rows, name)])
        for name in ("time", "high", "low", "close")
    ]
    time, high, low, close = columns
    offset = len(time) - n
    if len(time) > 1 and n:
        beyond = np.maximum(high[1:] / high[:-1], low[:-1] / low[1:]) - 1 > settings.spike
        if beyond[max(0, offset - 1) :].any():
            _judge_each((time, high, low, close), offset, timeframe, settings, doubtful, false)
    return Judgement(~(doubtful | false), doubtful)


def _judge_each(
    columns: tuple[IntArray, FloatArray, FloatArray, FloatArray],
    offset: int,
    timeframe: str,
    settings: QualitySettings,
    doubtful: BoolArray,
    false: BoolArray,
) -> None:
    """Set the masks of `judge`, row by row: which bar comes before one depends on what was believed."""
    time, high, low, close = columns
    length, rows = timeframe_ms(timeframe), len(time)
    last = offset - 1 if offset else 0
    for row in range(max(offset, 1), rows):
        most = limit(close[:row], int(time[row] - time[last]) // length, settings)
        if excess(high[row], low[row], high[last], low[last]) <= most:
            last = row
            continue
        if row + 1 == rows:
            doubtful[row - offset] = True
            continue
        after = row + 1
        spike = excess(high[row], low[row], max(high[last], high[after]), min(low[last], low[after]))
        if spike > most and 1 + spike >= ADJACENT:
            false[row - offset] = True
        else:
            last = row
