"""The range of a market's prices and volumes, and the unit of its prices."""

from __future__ import annotations

import math

import numpy as np

from quorate.core.clock import format_ms
from quorate.core.errors import CandleError
from quorate.core.types import CANDLE_COLUMNS, BoolArray, Candles, FloatArray

#: Far beyond the range of any market, and small enough that no product of prices and volumes overflows.
PRICE_RANGE = 2.0**100
VOLUME_RANGE = 2.0**200

# Bars whose columns are copied into one array to be checked: calls of numpy take longer than so many numbers.
_SHORT = 2_000


def price_unit(price: float) -> float:
    """1 for a price between 1/1000 and a million, else the largest power of two below it."""
    return 1.0 if 1e-3 < price < 1e6 else math.ldexp(1.0, math.frexp(price)[1] - 1)


def limits(candles: Candles) -> tuple[float, float, float]:
    """Lowest and highest price and highest volume.

    Raises:
        CandleError: a price that is not finite and positive, or a volume that is not finite and at least 0.
    """
    if not len(candles):
        return 1.0, 1.0, 0.0
    columns = [candles.open, candles.high, candles.low, candles.close]
    if len(candles) <= _SHORT:
        columns = [np.concatenate(columns)]
    lowest, highest = np.minimum.reduce, np.maximum.reduce  # as an array's min and max, without their overhead
    lows, highs = [float(lowest(column)) for column in columns], [float(highest(column)) for column in columns]
    quietest, busiest = float(lowest(candles.volume)), float(highest(candles.volume))
    # NaN, which both return, fails each comparison.
    if not (
        all(low > 0 for low in lows) and all(high < math.inf for high in highs) and 0 <= quietest <= busiest < math.inf
    ):
        raise _impossible(candles)
    return min(lows), max(highs), busiest


def _impossible(candles: Candles) -> CandleError:
    for name in CANDLE_COLUMNS:
        column: FloatArray = getattr(candles, name)
        fine: BoolArray = np.isfinite(column) & ((column >= 0) if name == "volume" else (column > 0))
        if not fine.all():
            row = int(np.flatnonzero(~fine)[0])
            break
    return CandleError(
        f"compute features of {candles.symbol}",
        found=f"{name} {column[row]} in row {row}, {format_ms(int(candles.time[row]))}",
        expected="prices above 0 and volumes of at least 0, all finite",
        remedy="Check the file with `quorate data check`.",
    )
