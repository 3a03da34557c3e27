"""Forecasts of variance to compare with: trailing means, exponential averages, GARCH(1,1), and pooled coefficients.

All are of the variance of a return from close to close over the horizon, (n,) arrays a horizon, and read no later bar.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from arch import arch_model
from scipy.signal import lfilter

from quorate.core.clock import DAY_MS
from quorate.core.types import Candles, FloatArray
from quorate.models.volatility.log_har import regressors, running_sums, solve
from quorate.models.volatility.variance_history import VarianceHistory

HALF_LIVES = (2, 4, 8, 12, 17, 24, 36, 48, 72, 96, 168, 336)
RISKMETRICS = 0.94
# Scale for the optimiser of `arch`, which wants returns near 1.
_PERCENT = 100.0


def returns(candles: Candles) -> FloatArray:
    """(n,) log returns from close to close; 0 on the first bar."""
    return np.diff(np.log(candles.close), prepend=np.log(candles.close[0]))


def trailing(history: VarianceHistory, candles: Candles, bars: int, *, ranges: bool = False) -> FloatArray:
    """Mean variance of a bar over the newest `bars`, of closes or of ranges."""
    if ranges:
        return history.mean(bars, bars) * history.close_to_close()
    running = np.concatenate([[0.0], np.cumsum(returns(candles) ** 2)])
    return np.concatenate([np.full(bars - 1, np.nan), (running[bars:] - running[:-bars]) / bars])


def smoothed(variance: FloatArray, decay: float) -> FloatArray:
    """Exponential average of the variance of each bar, from the mean of the first day on."""
    begin = variance[:24].mean()
    return lfilter([1 - decay], [1, -decay], variance, zi=[decay * begin])[0]


def garch(candles: Candles, start: int, horizons: Mapping[str, int], most: int = 8_000) -> dict[str, FloatArray]:
    """GARCH(1,1) with normal errors by the package `arch`, fitted anew each 30 days on the newest `most` bars.

    Args:
        candles: of one market.
        start: first bar to forecast, ms UTC.
        horizons: name -> bars.
        most: bars fitted at most.
    """
    found = {name: np.full(len(candles), np.nan) for name in horizons}
    percent = _PERCENT * returns(candles)
    longest = max(horizons.values())
    for time in range(start, int(candles.time[-1]) + 1, 30 * DAY_MS):
        first, end = np.searchsorted(candles.time, [time, time + 30 * DAY_MS]).tolist()
        begin = max(1, first - most)
        model = arch_model(percent[begin:end], mean="Zero", vol="GARCH", p=1, q=1)
        fit = model.fit(last_obs=first - begin, disp="off", show_warning=False)
        ahead = fit.forecast(horizon=longest, start=first - begin, method="analytic").variance.to_numpy()
        for name, bars in horizons.items():
            found[name][first:end] = ahead[:, :bars].sum(axis=1) / _PERCENT**2
    return found


def pooled(panel: Mapping[str, VarianceHistory], horizon: int, start: int) -> dict[str, FloatArray]:
    """Log-HAR with the same weights for all markets and a level for each, refitted daily from `start` on."""
    days = np.arange(start, max(int(each.time[-1]) for each in panel.values()) + 1, DAY_MS)
    parts, about = {}, 0.0
    for symbol, history in panel.items():
        X, floor = regressors(history, horizon)
        ahead = history.ahead(horizon) / horizon
        rows = np.flatnonzero(np.isfinite(X).all(axis=1) & np.isfinite(ahead))
        refits = np.searchsorted(history.time, days)
        known = np.searchsorted(rows, refits - horizon, side="right")
        sums = running_sums(X[rows], np.log(ahead[rows] + floor[rows]), known)
        mean = sums[:, :-1, -1] / sums[:, -1:, -1]
        about = about + _without_level(sums, mean)
        parts[symbol] = (X, ahead, rows, refits, known, mean)
    found = {}
    for symbol, (X, ahead, rows, refits, known, mean) in parts.items():
        scale = panel[symbol].close_to_close()
        found[symbol] = np.full(len(X), np.nan)
        for place, first in enumerate(refits.tolist()):
            _, weights = solve(about[place], horizon)
            level = mean[place, -1] - mean[place, :-1] @ weights
            fitted = rows[: known[place]]
            bias = np.mean(ahead[fitted] / np.exp(level + X[fitted] @ weights))
            span = slice(first, int(refits[place + 1]) if place + 1 < len(refits) else len(X))
            found[symbol][span] = horizon * scale[first] * bias * np.exp(level + X[span] @ weights)
    return found


def _without_level(sums: FloatArray, mean: FloatArray) -> FloatArray:
    """Running sums as if each market's means were 0, so that those of all markets add up."""
    centred = sums.copy()
    rows = sums[:, -1, -1]
    centred[:, :-1, :-1] -= rows[:, None, None] * mean[:, :, None] * mean[:, None, :]
    centred[:, :-1, -1] = centred[:, -1, :-1] = 0.0
    return centred
