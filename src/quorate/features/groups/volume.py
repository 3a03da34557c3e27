"""Traded volume, and the price moves that it came with."""

from __future__ import annotations

import numpy as np

from quorate.core.types import FloatArray
from quorate.features import rolling
from quorate.features.arithmetic import ROUNDING, bounded, change, equal, ratio
from quorate.features.bars import Bars
from quorate.features.column import Column
from quorate.features.groups.technical import volume_to_mean


def _volume_change(bars_back: int) -> Column:
    return Column(f"volume_change_{bars_back}", bars_back, lambda bars: change(bars.volume, bars_back))


def _volume_price_corr(bars: Bars) -> FloatArray:
    """Correlation of volume and close over 20 bars; 0 where either is flat."""
    mean, square, product = bars.volume_moments()
    variance = square - mean * mean
    np.copyto(variance, 0.0, where=equal(square, variance))
    middle, squares = bars.close_moments()
    return bounded(ratio(product - mean * middle, np.sqrt(variance) * np.sqrt(squares / 20)))


def _signed_volume_20(bars: Bars) -> FloatArray:
    """Volume of rising bars less that of falling bars, divided by all volume, over 20 bars."""
    return ratio(rolling.sums(bars.signed_volume()).over(20)[1:] / 20, bars.volume_moments()[0][1:])


def _mfi_14(bars: Bars) -> FloatArray:
    """Money flow index, 0 to 100: TA-Lib's formula without its running sums, which drift and ignore flows under 1."""
    typical = bars.typical()
    step = typical[1:] - typical[:-1]
    money = typical[1:] * bars.volume[1:]
    # Equal typical prices may differ by a rounding error.
    apart = ROUNDING * typical[1:]
    flows = np.empty((2, len(step)))
    np.multiply(money, step > apart, out=flows[0])
    np.multiply(money, np.abs(step) > apart, out=flows[1])
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
