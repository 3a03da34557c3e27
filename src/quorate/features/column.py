"""A column: its name, its warm-up, and the function that computes it from bars."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from quorate.core.types import BoolArray, FloatArray
from quorate.features.bars import Bars

Finish = Callable[[FloatArray], FloatArray]
Compute = Callable[[Bars], FloatArray | BoolArray | npt.NDArray[np.signedinteger[Any]]]

#: Instead of a feature set: columns are chosen on training rows.
AUTO = "auto"

#: First word of the name of a list of columns.
LIST = "columns"


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One feature.

    Attributes:
        name: as feature sets list it.
        warmup: leading rows that have no value, in bars; every later row has one.
        compute: from n bars to values of the newest m rows, n - warmup <= m <= n; a flag may be bool, a date part int.
            Values in the warm-up rows are ignored. Called with numpy's floating point warnings off.
        finish: an elementwise function of what `compute` returns, which is applied to several columns that share it at
            once. It keeps NaN.
        context: whether it reads the bars' context; it is NaN wherever that is missing.
        alone: whether `compute` takes bars of one market only. Otherwise it also takes those of S markets, whose arrays
            are (S, n), and returns (S, m).
    """

    name: str
    warmup: int
    compute: Compute
    finish: Finish | None = None
    context: bool = False
    alone: bool = False

    @property
    def takes_one_market(self) -> bool:
        """Whether bars of several markets are computed one after the other: a context is of one market."""
        return self.alone or self.context


def list_name(columns: Sequence[str]) -> str:
    """Name of the feature set that has these columns, in order.

    >>> list_name(["rsi_14", "obv"])
    'columns+rsi_14+obv'
    """
    return "+".join((LIST, *columns))


def short_name(features: str) -> str:
    """Name of a feature set for tables: a list of columns is not written out.

    >>> short_name("core14+obv"), short_name("columns+rsi_14+obv")
    ('core14+obv', 'a list of its own')
    """
    return "a list of its own" if features.split("+", 1)[0] == LIST else features
