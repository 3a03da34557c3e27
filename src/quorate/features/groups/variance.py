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
    return 0.5 * np.log(np.maximum(variance / (_LEAST * _LEAST), 1.0))


def _squared_returns(bars: Bars) -> rolling.Pyramid[FloatArray]:
    def squares() -> rolling.Pyramid[FloatArray]:
        returns = np.log(bars.close[1:] / bars.close[:-1])
        return rolling.sums(returns * returns)

    return bars.once("squared returns", squares)


def parkinson(bars: Bars) -> FloatArray:
    """(n,) variance of each bar from its high and low."""

    def variance() -> FloatArray:
        span = np.log(bars.high / bars.low)
        return span * span / (4 * math.log(2))

    return bars.once("parkinson", variance)


def _parkinson_sums(bars: Bars) -> rolling.Pyramid[FloatArray]:
    return bars.once("parkinson sums", lambda: rolling.sums(parkinson(bars)))


def _garman_klass(bars: Bars) -> FloatArray:
    """(n,) variance of each bar from its high, low, open and close."""
    span, body = np.log(bars.high / bars.low), np.log(bars.close / bars.open)
    return 0.5 * span * span - (2 * math.log(2) - 1) * body * body


def _rogers_satchell(bars: Bars) -> FloatArray:
    """(n,) variance of each bar, which a trend within it does not bias."""
    above: FloatArray = np.log(bars.high / bars.close) * np.log(bars.high / bars.open)
    below: FloatArray = np.log(bars.low / bars.close) * np.log(bars.low / bars.open)
    return above + below


def _realised(window: int) -> Column:
    return Column(
        f"log_volatility_{window}",
        window,
        lambda bars: _log_volatility(_squared_returns(bars).over(window) / window),
    )


def _ranged(window: int) -> Column:
    return Column(
        f"log_range_{window}", window - 1, lambda bars: _log_volatility(_parkinson_sums(bars).over(window) / window)
    )


def _from_prices(name: str, window: int, variance: Callable[[Bars], FloatArray]) -> Column:
    return Column(
        f"{name}_{window}", window - 1, lambda bars: _log_volatility(rolling.sums(variance(bars)).over(window) / window)
    )


def _decayed(half_life: int) -> Column:
    """Exponential weights over exactly twelve half-lives, so that a row depends on no older bar."""
    window, decay = 12 * half_life, 0.5 ** (1 / half_life)
    total = (1 - decay**window) / (1 - decay)

    def compute(bars: Bars) -> FloatArray:
        return _log_volatility(rolling.decayed_sums(parkinson(bars), decay).over(window) / total)

    return Column(f"log_range_ewm_{half_life}", window - 1, compute)


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
    sums = _parkinson_sums(bars).over(ahead)
    seasons = max(1, min(_SAME_TIME_SEASONS, _SAME_TIME_BARS // season))
    # Row i reads windows that end `ahead` bars after the same time: at i + ahead - season, i + ahead - 2 season, ...
    rows = len(bars) - season * seasons
    if rows <= 0:
        return np.empty(0)
    total = np.zeros(rows)
    for back in range(1, seasons + 1):
        first = season * (seasons - back) + 1  # place in `sums` of the window that starts a bar after the same time
        total += sums[first : first + rows]
    return _log_volatility(total / (seasons * ahead))


COLUMNS = (
    *map(_realised, (1, 6, 24, 168, 336, 720)),
    *map(_ranged, (1, 3, 6, 24, 168)),
    _from_prices("log_garman_klass", 24, _garman_klass),
    _from_prices("log_rogers_satchell", 24, _rogers_satchell),
    *map(_decayed, (2, 8)),
    Column("log_range_same_time", _SAME_TIME_BARS, _same_time),
)
