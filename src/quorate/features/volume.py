"""How much was traded, and on which side of the price."""

from __future__ import annotations

import numpy as np

from quorate.core.types import FloatArray
from quorate.features import rolling
from quorate.features.arithmetic import change, ratio
from quorate.features.bars import Bars
from quorate.features.column import Column


def _volume_change(bars_back: int) -> Column:
    return Column(f"volume_change_{bars_back}", bars_back, lambda bars: change(bars.volume, bars_back))


def _volume_price_corr(bars: Bars) -> FloatArray:
    """Correlation of volume and close over 20 bars; 0 where either is flat."""
    close = bars.once("close moments", lambda: rolling.moments(bars.close)).over(20)[1]
    volume = rolling.moments(bars.volume).over(20)[1]
    product = rolling.products(bars.close, bars.volume).over(20)[2]
    return rolling.padded(np.clip(ratio(product, np.sqrt(close) * np.sqrt(volume)), -1, 1), len(bars))


def _signed_volume_20(bars: Bars) -> FloatArray:
    """Volume of rising bars less that of falling bars, over all volume, of 20 bars."""
    (signed,) = rolling.sums(bars.signed_volume()).over(20)
    (total,) = bars.once("volume sums", lambda: rolling.sums(bars.volume)).over(20)
    return rolling.padded(ratio(signed, total), len(bars))


def _mfi_14(bars: Bars) -> FloatArray:
    """Money flow index, 0 to 100: TA-Lib's formula, whose own running sums drift and stop under 1 unit of money."""
    typical = bars.typical()
    money = typical * bars.volume
    step = np.zeros(len(bars))
    np.subtract(typical[1:], typical[:-1], out=step[1:])
    (rising,) = rolling.sums(money * (step > 0)).over(14)
    (moving,) = rolling.sums(money * (step != 0)).over(14)
    return rolling.padded(100 * ratio(rising, moving), len(bars))


COLUMNS = (
    Column("volume_change", 1, lambda bars: change(bars.volume, 1)),
    Column("volume_ma_ratio", 19, lambda bars: bars.volume_to_mean(20)),
    *(_volume_change(bars_back) for bars_back in (1, 4, 24)),
    Column("volume_price_corr", 19, _volume_price_corr),
    Column("signed_volume_20", 20, _signed_volume_20),
    Column("mfi_14", 14, _mfi_14),
)
