"""Candles to a matrix: the only path, for training, backtest, paper trading, serving and Freqtrade alike."""

from __future__ import annotations

import numpy as np

from quorate.core.types import Candles, Float32Array
from quorate.features.bars import Bars
from quorate.features.catalogue import FeatureSet, feature_set

# So many rows at a time, so that what the columns share stays in the processor's cache.
_BLOCK = 8192

_LARGEST = float(np.finfo(np.float32).max)


def build(candles: Candles | Bars, features: str) -> Float32Array:
    """Features of every bar. Row i knows bars 0 to i and nothing later.

    Args:
        candles: closed candles of one market, or `Bars` of them to share intermediate results.
        features: name of a feature set.

    Returns:
        (n, F) float32, F columns as `feature_names` lists them, within float32's finite range. NaN in the first
        `warmup` rows of each column and nowhere else.

    Raises:
        FeatureError: an unknown set.
        CandleError: a price or volume that cannot be.

    >>> import quorate
    >>> hours = 3_600_000 * np.arange(60)
    >>> price = 100 + np.sin(np.arange(60))
    >>> candles = quorate.Candles("BTC/USDT", "1h", hours, price, price + 1, price - 1, price, np.ones(60))
    >>> X = build(candles, "core14")
    >>> X.shape, X.dtype, int(np.isfinite(X).all(axis=1).argmax())
    ((60, 14), dtype('float32'), 49)
    """
    wanted = feature_set(features)
    bars = candles if isinstance(candles, Bars) else Bars(candles)
    rows = len(bars)
    X = np.empty((rows, len(wanted.columns)), np.float32)
    # One bar more than any column looks back over, for those that start from a difference.
    halo = wanted.warmup + 1
    with np.errstate(all="ignore"):
        for first in range(0, rows, _BLOCK):
            last = min(first + _BLOCK, rows)
            start = max(0, first - halo)
            part = bars if last - start == rows else bars.part(start, last)
            X[first:last] = _block(part, wanted, first - start).T
    for place, column in enumerate(wanted.columns):
        X[: column.warmup, place] = np.nan
    return X


def _block(part: Bars, wanted: FeatureSet, skip: int) -> Float32Array:
    """Columns of the rows from `skip` on, one after the other: (F, rows) float32."""
    values = np.empty((len(wanted.columns), len(part) - skip))
    for row, column in zip(values, wanted.columns, strict=True):
        row[:] = column.compute(part)[skip:]
    np.clip(values, -_LARGEST, _LARGEST, out=values)
    return values.astype(np.float32)
