"""TA-Lib's functions on arrays; the only file that loads TA-Lib.

Each takes and returns (n,) float64, with NaN in its leading rows without a value. The directional ones take lows in
which equal moves are equal to the last bit.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from quorate.core.types import FloatArray
from quorate.features.arithmetic import ROUNDING

# Rows compared at a time, so that what is between stays in the processor's cache.
_BLOCK = 16_384


class _Late(type):
    """Placeholder for a class of a library that may be loaded later."""

    library: str

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls._real() or ())

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return cls._real()(*args, **kwargs)

    def _real(cls) -> Any:
        return getattr(sys.modules.get(cls.library), cls.__name__, None)


def _extension() -> ModuleType:
    # talib imports pandas and polars only for isinstance tests, which costs a quarter of a second at start. It gets
    # placeholders that pass these tests once another module has imported the real libraries.
    hidden = {name for name in ("pandas", "polars") if name not in sys.modules}
    for library in hidden:
        stand_in = ModuleType(library)
        for name in ("DataFrame", "Series"):
            setattr(stand_in, name, _Late(name, (), {"library": library}))
        sys.modules[library] = stand_in
    try:
        return import_module("talib._ta_lib")
    finally:
        for library in hidden:
            del sys.modules[library]


_TALIB = _extension()


def _function(name: str) -> Callable[..., Any]:
    function = getattr(_TALIB, name)
    unwrapped: Callable[..., Any] = getattr(function, "__wrapped__", function)
    return unwrapped


ADX = _function("ADX")
AROONOSC = _function("AROONOSC")
ATR = _function("ATR")
EMA = _function("EMA")
MACD = _function("MACD")
MAX = _function("MAX")
MIN = _function("MIN")
MINUS_DI = _function("MINUS_DI")
PLUS_DI = _function("PLUS_DI")
RSI = _function("RSI")


def lows_with_ties(high: FloatArray, low: FloatArray) -> FloatArray:
    """(n,) lows, changed by rounding errors so that a low falls by exactly as much as the high of its bar rises.

    Wilder's directional movement goes to the larger of both moves, and to neither where they are equal. Decimal prices
    are not exact in binary: of equal moves a rounding error makes one the larger, and another one if the prices are in
    other units. Moves that differ by less than 1e-12 of the price count as equal. The lows depend on no later bar, and
    are those given where no two moves are that close without being equal.

    Args:
        high: (n,).
        low: (n,).
    """
    near = np.empty(max(len(high) - 1, 0), np.bool_)
    for begin in range(0, len(near), _BLOCK):
        part = slice(begin, begin + _BLOCK + 1)
        # Both moves are equal where the middle of the bar stays.
        middle = high[part] + low[part]
        moved = middle[1:] - middle[:-1]
        np.less_equal(np.abs(moved, out=moved), ROUNDING * high[part][1:], out=near[begin : begin + _BLOCK])
    tied = np.flatnonzero(near)
    if not tied.size:
        return low
    up, down = high[tied + 1] - high[tied], low[tied] - low[tied + 1]
    if (up == down).all():
        return low
    lows = low.copy()
    # A changed low also enters the next bar's move: equal moves are kept equal until a bar has none.
    for row, rise, fall in zip(tied.tolist(), up.tolist(), down.tolist(), strict=True):
        if rise != fall or lows[row] != low[row]:
            lows[row + 1] = lows[row] - rise
    return lows
