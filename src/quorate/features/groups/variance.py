"""Logarithms of volatility over many horizons, from closes and from the ranges of bars, for forecasts of volatility.

A bar's range tells its variance from four prices instead of two, so that its estimates vary less than those of closes.
The logarithm makes volatility nearly normal, and linear in its own past. Each value is the log of the volatility of a
bar in units of `_LEAST`, and 0 below that, as on flat bars.

References: Parkinson (1980); Garman and Klass (1980), the estimator from high, low, open and close; Rogers and
Satchell (1991); Corsi (2009) for the horizons of a day, a week and a month.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from quorate.core.clock import DAY_MS, HOUR_MS, timeframe_ms
from quorate.core.types import FloatArray
from quorate.features import rolling
from quorate.features.bars import Bars
from quorate.features.column import Column

# The least volatility of a bar that is told apart from none, a fraction.
_LEAST = 1e-5

# The same time of earlier days is read in at most this many bars, and in no more than seven days.
_SAME_TIME_BARS, _SAME_TIME_SEASONS = 168, 7

# Bars that follow the same time: the horizon of the vote's target.
_AHEAD = 5


def _log_volatility(variance: FloatArray) -> FloatArray:
    """Log of the volatility of a mean variance a bar, in units of `_LEAST`."""
    values: FloatArray = variance / (_LEAST * _LEAST)
    np.maximum(values, 1.0, out=values)
    np.log(values, out=values)
    values *= 0.5
    return values


def _column(name: str, warmup: int, variance: Callable[[Bars], FloatArray]) -> Column:
    return Column(name, warmup, variance, finish=_log_volatility)


def parkinson(bars: Bars) -> FloatArray:
    """(n,) variance of each bar from its high and low."""

    def variance() -> FloatArray:
        span = np.log(bars.high / bars.low)
        return span * span / (4 * math.log(2))

    return bars.once("parkinson", variance)


# Rows of `_variances`.
_CLOSES, _RANGE, _GARMAN_KLASS, _ROGERS_SATCHELL = range(4)


def _variances(bars: Bars) -> FloatArray:
    """(4, n) variance of each bar, all together, since calls of numpy take longer than the numbers of a live frame.

    From its close and the one before, 0 for the first bar; from its high and low, by Parkinson; from high, low, open
    and close, by Garman and Klass; and by Rogers and Satchell, which a trend within the bar does not bias.
    """
    variances = np.empty((4, *bars.close.shape))
    change, ranges, garman_klass, rogers_satchell = variances
    change[..., :1] = 0.0
    change = np.log(bars.close[..., 1:] / bars.close[..., :-1], out=change[..., 1:])
    change *= change
    span = np.log(bars.high / bars.low)
    np.multiply(span, span, out=ranges)
    ranges /= 4 * math.log(2)
    body = np.log(bars.close / bars.open)
    np.multiply(0.5 * span, span, out=garman_klass)
    span = np.multiply(2 * math.log(2) - 1, body, out=span)
    span *= body
    garman_klass -= span
    np.multiply(np.log(bars.high / bars.close), np.log(bars.high / bars.open), out=rogers_satchell)
    rogers_satchell += np.log(bars.low / bars.close) * np.log(bars.low / bars.open)
    return variances


def _sums(bars: Bars, row: int, window: int) -> FloatArray:
    """(n - window + 1,) sums of a row of `_variances` over windows."""

    def pyramid() -> rolling.Sums:
        return rolling.sums(bars.once("variances", lambda: _variances(bars)))

    def over() -> FloatArray:
        return bars.once("variance pyramid", pyramid).over(window)

    sums: FloatArray = bars.once(("variance sums", window), over)[row]
    return sums


def _mean(row: int, window: int) -> Callable[[Bars], FloatArray]:
    return lambda bars: _sums(bars, row, window) / window


def _realised(window: int) -> Column:
    return _column(f"log_volatility_{window}", window, _mean(_CLOSES, window))


def _ranged(window: int) -> Column:
    return _column(f"log_range_{window}", window - 1, _mean(_RANGE, window))


def _decayed(half_life: int) -> Column:
    """Exponential weights over exactly twelve half-lives, so that a row depends on no older bar."""
    window, decay = 12 * half_life, 0.5 ** (1 / half_life)
    total = (1 - decay**window) / (1 - decay)

    def compute(bars: Bars) -> FloatArray:
        ranges = bars.once("variances", lambda: _variances(bars))[_RANGE]
        mean: FloatArray = rolling.decayed_sums(ranges, decay).over(window) / total
        return mean

    return _column(f"log_range_ewm_{half_life}", window - 1, compute)


def _season(bars: Bars) -> int:
    """Bars after which the time of day returns: of a day; of an hour in short bars, of a week in days and longer."""
    bar = timeframe_ms(bars.timeframe)
    if bar >= DAY_MS:
        return 7
    day = DAY_MS // bar
    return day if day <= _SAME_TIME_BARS else max(2, HOUR_MS // bar)


def _same_time(bars: Bars) -> FloatArray:
    """Of the bars that followed the same time of the last days, all of them closed."""
    season = _season(bars)
    ahead = min(_AHEAD, season)
    sums = _sums(bars, _RANGE, ahead)
    seasons = max(1, min(_SAME_TIME_SEASONS, _SAME_TIME_BARS // season))
    # Row i reads windows that end `ahead` bars after the same time: at i + ahead - season, i + ahead - 2 season, ...
    rows = len(bars) - season * seasons
    if rows <= 0:
        return np.empty((*bars.markets, 0))
    # Places in `sums` of the windows that start a bar after the same time, newest first.
    first, *earlier = range(season * (seasons - 1) + 1, 0, -season)
    mean: FloatArray = sums[..., first : first + rows].copy()
    for place in earlier:
        mean += sums[..., place : place + rows]
    mean /= seasons * ahead
    return mean


COLUMNS = (
    *map(_realised, (1, 6, 24, 168, 336, 720)),
    *map(_ranged, (1, 3, 6, 24, 168)),
    _column("log_garman_klass_24", 23, _mean(_GARMAN_KLASS, 24)),
    _column("log_rogers_satchell_24", 23, _mean(_ROGERS_SATCHELL, 24)),
    *map(_decayed, (2, 8)),
    _column("log_range_same_time", _SAME_TIME_BARS, _same_time),
)
