"""Bars at which prices continue at another scale: redenominations and swaps of a token under the same symbol.

The open of a bar is compared with the close of the bar before it. Trading is continuous, so that the two are close to
each other, except after a pause: missing bars, or bars without volume. A change of scale is

- after a pause, a factor of at least `AFTER_PAUSE` that also exceeds what the market's own volatility explains:
  `MOVES` times its median close-to-close move (in logarithms), times the square root of the bars elapsed;
- between adjacent bars, the same with a factor of at least `ADJACENT`, once the volatility is known.

Only the bar's open and earlier bars are used, so that a backtest, paper trading and a check of the whole file agree.
The limits are no settings: a bundle has learned from the rows that this rule leaves, and with a user's own limits an
account would hold positions over other bars than those.

Prices before and after a change of scale are prices of different things: no return, position or equity spans it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log, sqrt
from typing import Any

import numpy as np

from quorate.core.clock import iso_ms, timeframe_ms
from quorate.core.types import BarColumns, Candles, FloatArray, IntArray

#: Least factor of a change after a pause and between adjacent bars, upwards or downwards; and the least size of its
#: logarithm, in median moves times the square root of the bars elapsed.
AFTER_PAUSE, ADJACENT, MOVES = 3.0, 5.0, 10.0

# Closes before a bar whose median move is the market's volatility there, and the least number for which it is known.
_NEWEST, _LEAST = 200, 20


@dataclass(frozen=True, slots=True)
class ScaleChange:
    """A bar from which on prices are at another scale.

    Attributes:
        bar: its index.
        time: its open time in ms UTC.
        factor: its open over the last close before it.
        missing: number of missing bars before it.
    """

    bar: int
    time: int
    factor: float
    missing: int

    def __str__(self) -> str:
        return f"x{self.factor:.4g}"

    def to_json(self) -> dict[str, Any]:
        return {"time": iso_ms(self.time), "factor": self.factor, "missing_bars": self.missing}


def scale_changes(bars: BarColumns, timeframe: str) -> tuple[ScaleChange, ...]:
    """Find the bars at which prices continue at another scale.

    Args:
        bars: of one market, sorted by time, prices above 0. Where all earlier volumes are 0, as for mark prices, only
            missing bars are a pause.
        timeframe: of the bars.

    Returns:
        The changes, oldest first. The first bar is never one.
    """
    if len(bars.time) < 2:
        return ()
    ratio = bars.open[1:] / bars.close[:-1]
    least = min(AFTER_PAUSE, ADJACENT)
    # By far most markets have none, and two reductions say so.
    if np.maximum.reduce(ratio) < least and np.minimum.reduce(ratio) * least > 1:
        return ()
    candidates = np.flatnonzero((ratio >= least) | (ratio * least <= 1)) + 1
    length = timeframe_ms(timeframe)
    found = []
    for bar in candidates.tolist():
        last = _last_traded(bars.volume[:bar])
        elapsed = int(bars.time[bar] - bars.time[last]) // length
        size = abs(log(float(ratio[bar - 1])))
        closes = bars.close[max(0, last - _NEWEST) : last + 1]
        known = len(closes) > _LEAST
        usual = float(np.median(np.abs(np.diff(np.log(closes))))) if known else 0.0
        factor = AFTER_PAUSE if elapsed > 1 else ADJACENT if known else inf
        # A tolerance, so that exactly 3 counts as 3.
        if size >= log(factor) - 1e-9 and size > MOVES * usual * sqrt(elapsed):
            missing = int(bars.time[bar] - bars.time[bar - 1]) // length - 1
            found.append(ScaleChange(bar, int(bars.time[bar]), float(ratio[bar - 1]), missing))
    return tuple(found)


def scale_change_bars(bars: BarColumns, timeframe: str) -> IntArray:
    """(k,) int64 indices of the bars of `scale_changes`, increasing."""
    return np.array([change.bar for change in scale_changes(bars, timeframe)], np.int64)


def scale_change_times(bars: Candles) -> list[int]:
    """Open times in ms UTC of the bars of `scale_changes`, increasing."""
    return [change.time for change in scale_changes(bars, bars.timeframe)]


def _last_traded(volume: FloatArray) -> int:
    """Index of the last bar with volume; the last one where none has any."""
    if volume[-1] > 0:
        return len(volume) - 1
    traded = np.flatnonzero(volume > 0)
    return int(traded[-1]) if traded.size else len(volume) - 1
