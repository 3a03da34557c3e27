"""Rolling statistics of the newest rows of arrays (D, S), one column a market, NaN where unknown.

A result is known where at least `least` of the newest `rows` values are. It depends on these values only, bit for bit,
so that it does not change with the history before them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from quorate.core.types import BoolArray, FloatArray


def shifted(x: FloatArray, rows: int) -> FloatArray:
    """The value `rows` rows earlier, NaN in the first ones; later where `rows` is negative."""
    out = np.full_like(x, np.nan)
    if rows == 0:
        out[:] = x
    elif 0 < rows < len(x):
        out[rows:] = x[:-rows]
    elif 0 < -rows < len(x):
        out[:rows] = x[-rows:]
    return out


def rolling_count(known: BoolArray, rows: int) -> FloatArray:
    """(D, S) number of true values."""
    return _fold(known.astype(np.float64), rows, np.add)


def rolling_sum(x: FloatArray, rows: int, least: int | None = None) -> FloatArray:
    """(D, S) sum; by default all values have to be known."""
    known = np.isfinite(x)
    total = _fold(np.where(known, x, 0.0), rows, np.add)
    return _where_known(total, known, rows, least)


def rolling_mean(x: FloatArray, rows: int, least: int | None = None) -> FloatArray:
    """(D, S) mean of the known values."""
    known = np.isfinite(x)
    count = rolling_count(known, rows)
    with np.errstate(invalid="ignore"):
        mean = _fold(np.where(known, x, 0.0), rows, np.add) / count
    return np.where(count >= (rows if least is None else least), mean, np.nan)


def rolling_highest(x: FloatArray, rows: int, least: int | None = None) -> FloatArray:
    """(D, S) maximum of the known values."""
    return _where_known(_fold(x, rows, np.fmax), np.isfinite(x), rows, least)


def rolling_lowest(x: FloatArray, rows: int, least: int | None = None) -> FloatArray:
    """(D, S) minimum of the known values."""
    return _where_known(_fold(x, rows, np.fmin), np.isfinite(x), rows, least)


def rolling_median(x: FloatArray, rows: int, least: int | None = None) -> FloatArray:
    """(D, S) median of the known values."""
    padded = np.concatenate([np.full((rows - 1, *x.shape[1:]), np.nan), x])
    windows = np.sort(np.lib.stride_tricks.sliding_window_view(padded, rows, axis=0), axis=-1)  # NaN last
    count = np.isfinite(windows).sum(axis=-1)
    below, above = np.maximum(count - 1, 0) // 2, count // 2
    pick = np.stack([below, np.minimum(above, rows - 1)], axis=-1)
    median = np.take_along_axis(windows, pick, axis=-1).mean(axis=-1)
    return np.where(count >= (rows if least is None else least), median, np.nan)


def rolling_covariance(x: FloatArray, y: FloatArray, rows: int, least: int) -> FloatArray:
    """(D, S) sample covariance over the rows where both are known."""
    both = np.isfinite(x) & np.isfinite(y)
    x, y = np.where(both, x, np.nan), np.where(both, y, np.nan)
    count = rolling_count(both, rows)
    mean_x, mean_y = rolling_mean(x, rows, 1), rolling_mean(y, rows, 1)
    total = np.zeros_like(mean_x)
    for back in range(min(rows, len(x))):
        # Products of deviations from the window's own means: nothing cancels.
        product = (shifted(x, back) - mean_x) * (shifted(y, back) - mean_y)
        total += np.where(np.isfinite(product), product, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        covariance = total / (count - 1)
    return np.where(count >= max(least, 2), covariance, np.nan)


def carried_forward(x: FloatArray, limit: int | None = None) -> FloatArray:
    """(D, S) the newest known value, at most `limit` rows old."""
    row = np.where(np.isfinite(x), np.arange(len(x))[:, None], -1)
    newest = np.maximum.accumulate(row, axis=0)
    out = np.take_along_axis(x, np.maximum(newest, 0), axis=0)
    known = newest >= 0
    if limit is not None:
        known &= np.arange(len(x))[:, None] - newest <= limit
    return np.where(known, out, np.nan)


def _fold(x: FloatArray, rows: int, join: Callable[..., FloatArray]) -> FloatArray:
    """Join the newest `rows` values, oldest first; fewer where the array begins."""
    out = x.copy()
    for back in range(1, min(rows, len(x))):
        out[back:] = join(x[:-back], out[back:])
    return out


def _where_known(values: FloatArray, known: BoolArray, rows: int, least: int | None) -> FloatArray:
    return np.where(rolling_count(known, rows) >= (rows if least is None else least), values, np.nan)
