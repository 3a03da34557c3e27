"""Data of the linked figure: equity, drawdown and price of every market on one time axis.

All curves are thinned to one grid of spans, as many as a screen shows: equity and price keep the last value of each,
the price also its range, and the drawdown its deepest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from quorate.core.clock import timeframe_ms
from quorate.evaluation.report.tables import baseline_name

if TYPE_CHECKING:
    from quorate.core.types import Candles, FloatArray, IntArray
    from quorate.evaluation.metrics.equity import EquityCurve
    from quorate.evaluation.report.reported_run import ReportedRun

# Points of a curve, and of the prices of all markets together: they keep a page below 3 MB.
_MOST_POINTS, _LEAST_POINTS, _PRICE_POINTS = 1_500, 120, 40_000


def linked_figure(run: ReportedRun) -> dict[str, Any] | None:
    """Columns of the figure by name, JSON-safe; None without bars.

    `time` is the end of each span in seconds since 1970, `start_time` the begin of the first, and `bars` the number of
    bars in a span.
    """
    grid = run.result.time
    if not len(grid):
        return None
    markets = run.candles
    most = min(_MOST_POINTS, max(_LEAST_POINTS, _PRICE_POINTS // max(1, len(markets))))
    bars = -(-len(grid) // most)
    step = timeframe_ms(run.result.timeframe)
    begin = grid[::bars]
    end = np.append(begin[1:], grid[-1] + step)
    curves = {"account": run.account, **({} if run.hold is None else {"hold": run.hold})}
    band = run.random_band
    rivals = {baseline_name(name): curve for name, curve in run.curves.items()}
    return {
        "time": (end // 1000).tolist(),
        "start_time": int(begin[0]) // 1000,
        "bars": bars,
        "timeframe": run.result.timeframe,
        "equity": {name: _last(curve.time, curve.equity, end) for name, curve in curves.items()},
        "band": None
        if band is None
        else {
            "low": _last(band.middle.time, band.low, end),
            "high": _last(band.middle.time, band.high, end),
            "middle": _last(band.middle.time, band.middle.equity, end),
        },
        "rivals": {name: _last(curve.time, curve.equity, end) for name, curve in rivals.items()},
        "drawdown": {name: _deepest(curve, begin, end) for name, curve in curves.items()},
        "prices": {symbol: _prices(candles, begin, end) for symbol, candles in markets.items()},
    }


def _last(time: IntArray, values: FloatArray, end: IntArray) -> list[float | None]:
    """The newest value before the end of each span; None before the first one."""
    place = np.searchsorted(time, end, side="left") - 1
    return [None if at < 0 else _six(values[at]) for at in place.tolist()]


def _deepest(curve: EquityCurve, begin: IntArray, end: IntArray) -> list[float | None]:
    """The deepest drawdown in each span, negative; None where the curve has no bar."""
    depth = curve.drawdown
    return [None if value is None else -value for value in _reduced(np.maximum, curve.time, depth, begin, end)]


def _prices(candles: Candles, begin: IntArray, end: IntArray) -> Mapping[str, list[float | None]]:
    """The close, the lowest and the highest price of each span; None in gaps."""
    low = _reduced(np.minimum, candles.time, candles.low, begin, end)
    high = _reduced(np.maximum, candles.time, candles.high, begin, end)
    close = _last(candles.time, candles.close, end)
    known = [None if bottom is None else value for value, bottom in zip(close, low, strict=True)]
    return {"close": known, "low": low, "high": high}


def _reduced(of: np.ufunc, time: IntArray, values: FloatArray, begin: IntArray, end: IntArray) -> list[float | None]:
    """A ufunc over the values in each span; None for spans without any."""
    first, last = np.searchsorted(time, begin), np.searchsorted(time, end)
    filled = np.flatnonzero(last > first)
    found: list[float | None] = [None] * len(begin)
    if filled.size:
        inside = values[first[filled[0]] : last[filled[-1]]]
        # Spans follow each other without a gap, so each ends where the next filled one begins.
        reduced = of.reduceat(inside, first[filled] - first[filled[0]])
        for place, value in zip(filled.tolist(), reduced.tolist(), strict=True):
            found[place] = _six(value)
    return found


def _six(value: float) -> float:
    """Six significant digits, which keeps the page small."""
    return float(f"{value:.6g}")
