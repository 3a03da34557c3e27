"""TA-Lib's functions on plain arrays, and the one place that loads TA-Lib.

Each takes and returns (n,) float64, with NaN in the leading rows it has no value for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any


class _Late(type):
    """Stands in for a class of a library that may be loaded later, or never."""

    library: str

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls._real() or ())

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return cls._real()(*args, **kwargs)

    def _real(cls) -> Any:
        return getattr(sys.modules.get(cls.library), cls.__name__, None)


def _extension() -> ModuleType:
    # To know their series when it sees one, talib loads pandas and polars: a quarter of a second that the live path
    # has no use for. It gets stand-ins that know them just as well once somebody else has loaded them.
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
