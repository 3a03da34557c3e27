"""Candles to a matrix of features. The folder itself can be called: `quorate.features(candles, "core14")`."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from quorate.core.types import Float32Array
from quorate.features.bars import Bars
from quorate.features.build import atr_14, build, live, volatility_20
from quorate.features.catalogue import FeatureSet, feature_names, feature_set, feature_sets
from quorate.features.context import Context, contexts
from quorate.features.cross_section import CrossSection
from quorate.features.inputs import Inputs
from quorate.features.windows import Sequences, Windows

__all__ = [
    "Bars",
    "Context",
    "CrossSection",
    "FeatureSet",
    "Inputs",
    "Sequences",
    "Windows",
    "atr_14",
    "build",
    "contexts",
    "feature_names",
    "feature_set",
    "feature_sets",
    "live",
    "volatility_20",
]


class _Callable(ModuleType):
    # `from quorate.features.build import build` binds the folder to `quorate.features`, in place of any function of
    # that name; so the folder is the function.
    def __call__(self, *args: Any, **kwargs: Any) -> Float32Array:
        return build(*args, **kwargs)


sys.modules[__name__].__class__ = _Callable
