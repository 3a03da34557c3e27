"""A column of the catalogue: its name, its warm-up, and how it comes from the bars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quorate.core.types import BoolArray, FloatArray
from quorate.features.bars import Bars

Compute = Callable[[Bars], FloatArray | BoolArray | npt.NDArray[np.int32]]


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One feature.

    Attributes:
        name: as feature sets list it.
        warmup: leading rows that have no value, in bars; every later row has one.
        compute: from n bars to the newest m rows, m at least n - warmup; a flag may be bool, a date part int.
            What it gives for the warm-up rows does not matter. Called with numpy's floating point warnings off.
        context: whether it reads the bars' context; it is NaN wherever that is missing.
    """

    name: str
    warmup: int
    compute: Compute
    context: bool = False
