"""What bands and barriers are measured in."""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np

from quorate.core.errors import TargetError, close_match
from quorate.core.types import Candles, FloatArray
from quorate.features import Bars, volatility_20

Unit = Literal["return", "volatility"]


def require_unit(unit: str) -> None:
    """Refuse a unit that is none.

    Raises:
        TargetError: neither "return" nor "volatility".
    """
    if unit not in get_args(Unit):
        raise TargetError(
            "measure a target",
            found=f"unit {unit!r}",
            expected=" or ".join(get_args(Unit)),
            remedy=close_match(unit, get_args(Unit)),
        )


def move_size(candles: Candles, bars: int, unit: Unit) -> FloatArray:
    """One unit as a fraction of the price, at each bar.

    A "return" is 1. A "volatility" is how far the price usually moves over `bars` bars, known at the bar's close:
    `volatility_20` times the square root of `bars`.

    Returns:
        (n,) float64; NaN in volatility's first 20 rows.
    """
    if unit == "return":
        return np.ones(len(candles))
    return volatility_20(Bars(candles)) * math.sqrt(bars)
