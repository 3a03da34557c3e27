"""Units of bands and barriers."""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np

from quorate.core.errors import TargetError, close_match
from quorate.core.types import Candles, FloatArray
from quorate.features import Bars, volatility_20

Unit = Literal["return", "volatility"]


def require_unit(unit: str) -> None:
    """Check a unit.

    Raises:
        TargetError: neither "return" nor "volatility".
    """
    if unit not in get_args(Unit):
        raise TargetError(
            "define a target",
            found=f"`unit` {unit!r}",
            expected=" or ".join(get_args(Unit)),
            remedy=close_match(unit, get_args(Unit)),
        )


def move_size(candles: Candles, bars: int, unit: Unit) -> FloatArray:
    """Size of one unit at each bar, as a fraction of the price.

    For "return" it is 1. For "volatility" it is the volatility over `bars` bars as known at the bar's close:
    `volatility_20` times the square root of `bars`.

    Returns:
        (n,) float64; NaN in the first 20 rows for "volatility".
    """
    if unit == "return":
        return np.ones(len(candles))
    return volatility_20(Bars(candles)) * math.sqrt(bars)
