"""Scaling of a sleeve to a target volatility, by the returns that were known."""

from __future__ import annotations

import numpy as np

from quorate.book.panel.decayed import decayed_mean, half_life
from quorate.book.panel.rolling import shifted
from quorate.core.clock import YEAR_DAYS
from quorate.core.settings import BookSettings
from quorate.core.types import FloatArray

# Days of returns before a volatility is known.
_LEAST = 20


def volatility_scale(weights: FloatArray, close: FloatArray, settings: BookSettings) -> FloatArray:
    """(D,) factor that brings a sleeve to its target volatility, from what its unscaled weights earned so far.

    A row reads the closes up to its own: a day's return is that between the closes known at its start and at its end.
    0 while too few days are known.

    Args:
        weights: (D, S) unscaled.
        close: (D, S) last closed prices at the start of each day.
        settings: target, half-life and largest factor.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = close / shifted(close, 1) - 1
    before = shifted(weights, 1)
    earned = np.where(np.isfinite(moved) & np.isfinite(before), before * np.where(np.isfinite(moved), moved, 0.0), 0.0)
    held = np.where(np.isfinite(before), np.abs(before), 0.0).sum(axis=1) > 0
    returns = np.where(held, earned.sum(axis=1), np.nan)[:, None]
    decay = half_life(settings.scale_half_life)
    with np.errstate(divide="ignore", invalid="ignore"):
        volatility = np.sqrt(decayed_mean(returns**2, decay, _LEAST)[:, 0] * YEAR_DAYS)
        factor = np.minimum(settings.target_volatility / volatility, settings.most_scale)
    return np.where(np.isfinite(factor), factor, 0.0)
