"""Limits of the book's weights: of one market, by its volume, and in all."""

from __future__ import annotations

import numpy as np

from quorate.core.settings import BookSettings
from quorate.core.types import FloatArray


def limited(weights: FloatArray, median_volume: FloatArray, equity_usd: float, settings: BookSettings) -> FloatArray:
    """(..., S) weights within the limits; never larger than they were, and on the same side.

    Args:
        weights: (..., S) targets.
        median_volume: (..., S) trailing dollar volume of a day; a market without one is not held.
        equity_usd: of the account.
        settings: limits.
    """
    volume = np.where(np.isfinite(median_volume), median_volume, 0.0)
    most = np.minimum(settings.most_weight, settings.volume_share * volume / equity_usd)
    sizes = np.minimum(np.abs(weights), most)
    gross = sizes.sum(axis=-1, keepdims=True)
    return np.asarray(np.sign(weights) * sizes * (settings.most_gross / np.maximum(gross, settings.most_gross)))
