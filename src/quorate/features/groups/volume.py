"""Traded volume, and the price moves that it came with."""

from __future__ import annotations

import numpy as np

from quorate.core.types import FloatArray
from quorate.features import rolling
from quorate.features.arithmetic import bounded, change, equal, ratio
from quorate.features.bars import Bars
from quorate.features.column import Column
from quorate.features.groups.technical import volume_path, volume_to_mean


def _volume_change(bars_back: int) -> Column:
    return Column(f"volume_change_{bars_back}", bars_back, lambda bars: change(bars.volume, bars_back))


def _volume_price_corr(bars: Bars) -> FloatArray:
    """Correlation of volume and close over 20 bars; 0 where either is flat."""
    terms = np.empty((2, *bars.volume.shape))
    np.multiply(bars.volume, bars.volume, out=terms[0])
    np.multiply(bars.volume, bars.close, out=terms[1])
    square, product = rolling.sums(terms).mean(20)
    mean, (middle, _) = bars.mean_volume(), bars.close_moments()
    variance = square - mean * mean
    np.copyto(variance, 0.0, where=equal(square, variance))
    product -= mean * middle
    return bounded(ratio(product, np.sqrt(variance) * bars.close_deviation()))


def _signed_volume_20(bars: Bars) -> FloatArray:
    """Volume of rising bars less that of falling bars, divided by all volume, over 20 bars."""
    _, _, total = volume_path(bars)
    return ratio(total[..., 1:] / 20, bars.mean_volume()[..., 1:])


def _mfi_14(bars: Bars) -> FloatArray:
    """Money flow index, 0 to 100: TA-Lib's formula without its running sums, which drift and ignore flows under 1."""
    money = bars.typical()[..., 1:] * bars.volume[..., 1:]
    flows = np.empty((2, *money.shape))
    for flow, counted in zip(flows, bars.typical_moves(), strict=True):
        np.multiply(money, counted, out=flow)
    rising, moving = rolling.sums(flows).over(14)
    return 100 * ratio(rising, moving)


COLUMNS = (
    Column("volume_change", 1, lambda bars: change(bars.volume, 1)),
    Column("volume_ma_ratio", 19, volume_to_mean),
    *(_volume_change(bars_back) for bars_back in (1, 4, 24)),
    Column("volume_price_corr", 19, _volume_price_corr),
    Column("signed_volume_20", 20, _signed_volume_20),
    Column("mfi_14", 14, _mfi_14),
)
