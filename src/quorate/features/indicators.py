"""TA-Lib's functions on arrays; the only file that loads TA-Lib.

Each takes and returns (n,) float64, with NaN in its leading rows without a value.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any


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
CCI = _function("CCI")
EMA = _function("EMA")
MACD = _function("MACD")
MAX = _function("MAX")
MIN = _function("MIN")
MINUS_DI = _function("MINUS_DI")
PLUS_DI = _function("PLUS_DI")
RSI = _function("RSI")
