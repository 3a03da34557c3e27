"""From the signals of a day to weights."""

from __future__ import annotations

import numpy as np

from quorate.book.panel.ranks import ranks
from quorate.book.panel.rolling import rolling_mean
from quorate.core.types import BoolArray, FloatArray

# Markets of a day below which a ranking says nothing.
_FEWEST = 6


def balanced(signal: FloatArray, volatility: FloatArray, among: BoolArray) -> FloatArray:
    """(D, S) ranks over volatility, half of a gross weight of 1 on each side; 0 on days with too few markets.

    Args:
        signal: (D, S), larger for markets to be held long.
        volatility: (D, S) of a day.
        among: (D, S) markets that may be held.
    """
    rank, count = ranks(signal, among)
    centred = (rank - (count[:, None] + 1) / 2) / (np.maximum(count, 1)[:, None] / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = np.where(count[:, None] >= _FEWEST, centred / volatility, np.nan)
    return one_half(np.maximum(weights, 0.0)) - one_half(np.maximum(-weights, 0.0))


def one_half(sizes: FloatArray) -> FloatArray:
    """(D, S) sizes as shares of half of the equity; 0 on days without any."""
    known = np.where(np.isfinite(sizes), sizes, 0.0)
    total = known.sum(axis=1, keepdims=True)
    return np.asarray(known / np.where(total > 0, total, 1.0) * 0.5)


def directional(signal: FloatArray, volatility: FloatArray, among: BoolArray) -> FloatArray:
    """(D, S) signals times inverse volatility: a gross weight of 1 where all signals are full.

    Args:
        signal: (D, S) between -1 and 1; NaN for none.
        volatility: (D, S) of a day.
        among: (D, S) markets that may be held.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.where(among, 1 / volatility, 0.0)
    size = np.where(np.isfinite(size), size, 0.0)
    total = size.sum(axis=1, keepdims=True)
    share = size / np.where(total > 0, total, 1.0)
    return np.where(among & np.isfinite(signal), np.where(np.isfinite(signal), signal, 0.0) * share, 0.0)


def smoothed(weights: FloatArray, days: int) -> FloatArray:
    """(D, S) mean of the newest rows: a position is built and left over so many days."""
    return weights if days == 1 else rolling_mean(weights, days, 1)
