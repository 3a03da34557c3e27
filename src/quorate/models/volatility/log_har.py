"""Log-HAR: the logarithm of the variance ahead, regressed on logarithms of mean variances over hours, days and weeks.

Coefficients are fitted anew at the first bar of each UTC day, on all rows whose horizon has ended by then. They are
shrunk towards equal weights of all windows, which is what little history supports: the penalty is worth `_PRIOR`
horizons of data. The exponential of a forecast logarithm underestimates the mean, so forecasts are scaled until the
mean of realised over forecast variance is 1 on the fitted rows, which minimises QLIKE there. Quantiles of the same
ratios are the interval.

References: Corsi (2009), A simple approximate long-memory model of realized volatility; Patton (2011), Volatility
forecast comparison using imperfect volatility proxies.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from quorate.core.clock import DAY_MS, HOUR_MS
from quorate.core.types import BoolArray, FloatArray, IntArray
from quorate.models.volatility.variance_history import VarianceHistory

# Windows of the regressors, in hours beside the newest bar; the last grows with the history from a week on.
_HOURS = (1, 6, 24, 168, 720)
_WEEK = 168 * HOUR_MS

# A bar whose prices are all the same has a variance of 0 and no logarithm: a share of the week's mean is added, and for
# a market that never moves a variance beyond any that trades.
_FLOOR_SHARE, _FLOOR = 0.01, 1e-14

# Horizons of data that the prior is worth; and the fewest fitted rows, in all and in horizons.
_PRIOR = 20.0
_LEAST_ROWS, _LEAST_HORIZONS = 100, 5

#: Share of realised volatilities that the intervals are to hold.
CONFIDENCE = 0.90
_TAILS = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)


class HorizonForecasts(NamedTuple):
    """Forecasts of one horizon at n bars; NaN, and 0 rows, where there is too little history.

    Attributes:
        value: (n,) volatility over the horizon, a fraction.
        low, high: (n,) `CONFIDENCE` interval of the realised volatility.
        rows: (n,) int64 rows fitted.
    """

    value: FloatArray
    low: FloatArray
    high: FloatArray
    rows: IntArray


def forecast(history: VarianceHistory, horizon: int, *, newest: bool = False) -> HorizonForecasts:
    """Forecast the volatility over the next `horizon` bars, at every bar or at the newest alone.

    Args:
        history: of n bars.
        horizon: bars ahead.
        newest: forecast the newest bar only, the same to the last bit; all others are NaN.
    """
    n = len(history)
    made = HorizonForecasts(np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan), np.zeros(n, np.int64))
    if not n:
        return made
    X, floor = regressors(history, horizon)
    ahead = history.ahead(horizon) / horizon
    rows = np.flatnonzero(np.isfinite(X).all(axis=1) & np.isfinite(ahead))
    fitted, realised = X[rows], ahead[rows]
    refits = first_of_days(history.time)
    # A row is known once its horizon has ended: its last bar is the one that the refit follows, or an earlier one.
    known = np.searchsorted(rows, refits - horizon, side="right")
    sums = running_sums(fitted, np.log(realised + floor[rows]), known)
    scale = history.close_to_close()
    least = max(_LEAST_ROWS, _LEAST_HORIZONS * horizon)
    for place in range(len(refits) - 1 if newest else 0, len(refits)):
        count = int(known[place])
        if count < least:
            continue
        first = n - 1 if newest else int(refits[place])
        span = slice(first, int(refits[place + 1]) if place + 1 < len(refits) else n)
        level, weights = solve(sums[place], horizon)
        ratio = realised[:count] / np.exp(level + fitted[:count] @ weights)
        bias = float(ratio.mean())
        # Row by row, so that a row does not depend on how many are computed with it.
        expected = bias * np.exp(level + (X[span] * weights).sum(axis=1))
        variance = horizon * scale[refits[place]] * expected
        low, high = np.quantile(ratio, _TAILS) / bias if bias > 0 else (1.0, 1.0)
        made.value[span] = np.sqrt(variance)
        made.low[span], made.high[span] = np.sqrt(variance * low), np.sqrt(variance * high)
        made.rows[span] = np.where(np.isfinite(variance), count, 0)
    return made


def regressors(history: VarianceHistory, horizon: int) -> tuple[FloatArray, FloatArray]:
    """(n, k) logarithms of mean variances, NaN in the warm-up; and the (n,) floor of every variance."""
    week = history.bars_in(_WEEK)
    floor = _FLOOR_SHARE * history.mean(week, (week + 1) // 2) + _FLOOR
    windows = sorted({1, *(history.bars_in(hours * HOUR_MS) for hours in _HOURS)})
    columns = [history.mean(bars, (min(bars, week) + 1) // 2) for bars in windows]
    if history.within_a_day(horizon):
        columns.append(history.same_hours(horizon))
    return np.log(np.stack(columns, axis=1) + floor[:, None]), floor


def first_of_days(time: IntArray) -> IntArray:
    """Indices of the first bar of each UTC day."""
    day = time // DAY_MS
    first: BoolArray = np.concatenate([[True], day[1:] != day[:-1]])
    return np.flatnonzero(first)


def running_sums(X: FloatArray, y: FloatArray, ends: IntArray) -> FloatArray:
    """(m, k + 2, k + 2) sums of products of regressors, y and 1 over the rows before each of m ends, which increase."""
    table = np.column_stack([X, y, np.ones(len(y))])
    parts = np.zeros((len(ends), table.shape[1], table.shape[1]))
    first = 0
    for place, end in enumerate(ends.tolist()):
        part = table[first:end]
        parts[place] = part.T @ part
        first = end
    running: FloatArray = np.cumsum(parts, axis=0)
    return running


def solve(sums: FloatArray, horizon: int) -> tuple[float, FloatArray]:
    """Intercept and (k,) weights of the penalised least squares, from one of the running sums."""
    k, rows = len(sums) - 2, sums[-1, -1]
    mean = sums[:-1, -1] / rows
    about = sums[:-1, :-1] - rows * np.outer(mean, mean)
    squares, products = about[:k, :k], about[:k, k]
    equal = np.full(k, 1 / k)
    penalty = _PRIOR * horizon * np.trace(squares) / (k * rows) + np.finfo(np.float64).tiny
    weights = equal + np.linalg.solve(squares + penalty * np.eye(k), products - squares @ equal)
    return float(mean[k] - mean[:k] @ weights), weights
