"""Unchecked rows of a file, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from quorate.core.types import CANDLE_COLUMNS, BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Candle rows in file order, not sorted and not checked.

    Attributes:
        time: (n,) int64 open times in ms UTC; `NO_TIME` where the file has none.
        open, high, low, close, volume: (n,) float64; NaN where the file has none.
        synthetic: the file is marked as synthetic.
    """

    time: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    synthetic: bool = False

    def __len__(self) -> int:
        return len(self.time)

    def take(self, rows: IntArray | BoolArray) -> Self:
        """Select rows by indices or by a mask."""
        arrays = {name: getattr(self, name)[rows] for name in ("time", *CANDLE_COLUMNS)}
        return type(self)(**arrays, synthetic=self.synthetic)

    def same_rows(self, other: Columns) -> bool:
        """Whether both have the same rows in the same order, to the bit."""
        return self.synthetic == other.synthetic and all(
            np.array_equal(getattr(self, field.name), getattr(other, field.name))
            for field in fields(self)
            if field.name != "synthetic"
        )


@dataclass(frozen=True, slots=True, eq=False)
class FundingColumns:
    """Funding rows in file order, not checked.

    Attributes:
        time: (n,) int64 settlement times in ms UTC; `NO_TIME` where the file has none.
        rate: (n,) float64 fractions; NaN where the file has none.
        synthetic: the file is marked as synthetic.
    """

    time: IntArray
    rate: FloatArray
    synthetic: bool = False

    def __len__(self) -> int:
        return len(self.time)


def join(parts: Sequence[Columns]) -> Columns:
    """Concatenate the rows of several files; synthetic if any of them is."""
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ("time", *CANDLE_COLUMNS)}
    return Columns(**arrays, synthetic=any(part.synthetic for part in parts))


def differs(left: FloatArray, right: FloatArray) -> BoolArray:
    """Whether two values differ by more than the rounding of printed decimals.

    Returns:
        (n,) bool; False where either is NaN.

    >>> differs(np.array([1.0520100000000001, 1.05201]), np.array([1.05201, 1.05202])).tolist()
    [False, True]
    """
    apart: BoolArray = np.abs(left - right) > 1e-12 * np.maximum(np.abs(left), np.abs(right))
    return apart


#: No rows at all, as an empty file has.
NO_ROWS = Columns(np.zeros(0, np.int64), np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0))
NO_FUNDING = FundingColumns(np.zeros(0, np.int64), np.zeros(0))
