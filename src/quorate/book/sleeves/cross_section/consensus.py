"""The vote of the cross-section's members on which markets are held."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from quorate.book.panel.ranks import centred_ranks
from quorate.book.sleeves.sides import one_half
from quorate.core.types import BoolArray, FloatArray


def agreed_weights(
    forecasts: Collection[FloatArray], volatility: FloatArray, among: BoolArray, *, quorum: int, outer: float
) -> FloatArray:
    """(D, S) weights of the markets that enough members have in the same outer group, by mean rank over volatility.

    Each side has half of a gross weight of 1; on a day without one of the sides nothing is held.

    Args:
        forecasts: (D, S) of each member; NaN where it abstains.
        volatility: (D, S) of a day.
        among: (D, S) markets that may be held.
        quorum: members that have to agree.
        outer: share of the markets on each side that is an outer group.
    """
    if len(forecasts) < quorum:
        return np.zeros(among.shape)
    mean, up, down = np.zeros(among.shape), np.zeros(among.shape), np.zeros(among.shape)
    for forecast in forecasts:
        rank = centred_ranks(forecast, among)
        rank = np.where(np.isfinite(rank), rank, 0.0)
        mean += rank / len(forecasts)
        up += rank > 0.5 - outer
        down += rank < outer - 0.5
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.where(among, np.abs(mean) / volatility, np.nan)
    long = one_half(np.where((up >= quorum) & (mean > 0), size, 0.0))
    short = one_half(np.where((down >= quorum) & (mean < 0), size, 0.0))
    both = (long.sum(axis=1) > 0) & (short.sum(axis=1) > 0)
    return np.where(both[:, None], long - short, 0.0)
