"""A column of the catalogue: its name, its warm-up, and how it comes from the bars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from quorate.core.types import FloatArray
from quorate.features.bars import Bars


@dataclass(frozen=True, slots=True)
class Column:
    """One feature.

    Attributes:
        name: as feature sets list it.
        warmup: leading rows that have no value, in bars; every later row has one.
        compute: from bars of n rows to (n,) float64; what it puts in the warm-up rows does not matter.
    """

    name: str
    warmup: int
    compute: Callable[[Bars], FloatArray]
