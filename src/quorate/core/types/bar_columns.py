"""Columns of bars, whatever holds them."""

from __future__ import annotations

from typing import Protocol

from quorate.core.types.arrays import FloatArray, IntArray


class BarColumns(Protocol):
    """n bars of one market, sorted by time: `Candles`, bars of features, or rows of a file or an exchange."""

    def __len__(self) -> int: ...
    @property
    def time(self) -> IntArray: ...
    @property
    def open(self) -> FloatArray: ...
    @property
    def high(self) -> FloatArray: ...
    @property
    def low(self) -> FloatArray: ...
    @property
    def close(self) -> FloatArray: ...
    @property
    def volume(self) -> FloatArray: ...
