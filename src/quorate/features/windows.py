"""Windows of consecutive rows, for models that read several bars."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

from quorate.core.clock import timeframe_ms
from quorate.core.errors import FeatureError
from quorate.core.types import BoolArray, Float32Array, IntArray


class Windows:
    """The L rows up to and including each row, where they are complete: without a gap, of one symbol, all known.

    Nothing is copied until `gather` is called for a batch.

    Args:
        X: (n, F) float32 rows, one symbol after the other, by time within each.
        time: (n,) int64 open times in ms.
        length: L, rows of a window, at least 1.
        timeframe: of the bars.
        symbol: (n,) which market each row is of; None for one market.

    Attributes:
        length: L.
        whole: (n,) bool, whether a complete window ends at each row: no bar is missing among its L bars, all are of
            one symbol, and none of their features is NaN.

    Raises:
        FeatureError: a length under 1, or arrays that do not belong together.

    >>> X = np.arange(10, dtype=np.float32).reshape(5, 2)
    >>> windows = Windows(X, np.array([0, 60_000, 120_000, 240_000, 300_000]), 2, "1m")
    >>> windows.whole
    array([False,  True,  True, False,  True])
    >>> windows[4]
    array([[6., 7.],
           [8., 9.]], dtype=float32)
    """

    def __init__(
        self,
        X: Float32Array,
        time: IntArray,
        length: int,
        timeframe: str,
        symbol: npt.NDArray[np.integer[Any]] | None = None,
    ) -> None:
        if length < 1 or X.ndim != 2 or len(X) != len(time) or (symbol is not None and len(symbol) != len(time)):
            raise FeatureError(
                "make windows",
                found=f"length {length}, X of shape {X.shape}, {len(time)} times"
                + ("" if symbol is None else f", {len(symbol)} symbols"),
                expected="a length of at least 1 and as many times as rows of X",
            )
        self.length = length
        self._X = X
        joined = np.diff(time) == timeframe_ms(timeframe)
        if symbol is not None:
            joined &= np.diff(symbol) == 0
        known: BoolArray = np.logical_and.reduce(np.isfinite(X), axis=1)
        self.whole: BoolArray = _all_true(joined, length - 1, len(X)) & _all_true(known, length, len(X))

    def __getitem__(self, row: int) -> Float32Array:
        """The window that ends at `row`: an (L, F) view.

        Raises:
            FeatureError: no window ends there.
        """
        if not 0 <= row < len(self.whole) or not self.whole[row]:
            raise self._missing(row)
        return self._X[row - self.length + 1 : row + 1]

    def view(self) -> Float32Array:
        """Every window of L rows, complete or not: a read-only (n - L + 1, L, F) view; the last row of window i is row
        i + L - 1.
        """
        if len(self._X) < self.length:
            return np.empty((0, self.length, self._X.shape[1]), np.float32)
        return np.lib.stride_tricks.sliding_window_view(self._X, self.length, axis=0).transpose(0, 2, 1)

    def gather(self, rows: IntArray) -> Float32Array:
        """The windows that end at `rows`, copied into one (B, L, F) batch.

        Raises:
            FeatureError: no window ends at one of them.
        """
        return self.at(rows)[:]

    def at(self, rows: IntArray) -> Sequences:
        """The windows that end at `rows`, gathered batch by batch.

        Raises:
            FeatureError: no window ends at one of them.
        """
        rows = np.asarray(rows, np.int64)
        missing = (rows < 0) | (rows >= len(self.whole))
        missing[~missing] = ~self.whole[rows[~missing]]
        if missing.any():
            raise self._missing(int(rows[missing][0]))
        return Sequences(self.view(), rows - self.length + 1)

    def _missing(self, row: int) -> FeatureError:
        return FeatureError(
            f"take the window of {self.length} bars that ends at row {row}",
            found="a gap, another symbol, an unknown feature or no such row",
            expected="a row where `whole` is True",
        )


class Sequences:
    """Chosen windows of shape (B, L, F), copied batch by batch.

    It is used like an array of windows: it has a length and a shape, and indexing it with a slice or an array of
    numbers returns an array. All values are finite: `Windows.at` accepts complete windows only.

    Args:
        stretches: (n, L, F) float32 view of every window of L rows.
        first: (B,) int64, which of them each chosen window is.
    """

    ndim = 3
    dtype = np.dtype(np.float32)

    def __init__(self, stretches: Float32Array, first: IntArray) -> None:
        self._stretches = stretches
        self._first = first
        self.shape: tuple[int, int, int] = (len(first), *stretches.shape[1:])

    def __len__(self) -> int:
        return len(self._first)

    def __getitem__(self, chosen: slice | IntArray) -> Float32Array:
        """(b, L, F) float32, a copy."""
        return self._stretches[self._first[chosen]]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return self[:].astype(dtype or self.dtype, copy=False)

    @property
    def newest(self) -> Float32Array:
        """(B, F) float32, the last row of each window: a copy, but of one row in L only."""
        rows: Float32Array = self._stretches[self._first, -1]
        return rows

    def digest(self) -> str:
        """SHA-256 of the rows that the windows are views of and of where each one starts, in hexadecimal."""
        digest = hashlib.sha256(repr(self.shape).encode())
        # The first row of every window and the rest of the last one: each row once, instead of L times.
        for part in (self._stretches[:, 0], self._stretches[-1:, 1:], self._first):
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()

    def select(self, chosen: slice | IntArray) -> Sequences:
        """Some of the windows, without a copy."""
        return Sequences(self._stretches, self._first[chosen])


def _all_true(flags: BoolArray, count: int, rows: int) -> BoolArray:
    """(rows,) bool, whether `count` flags up to each row exist and are true."""
    if count == 0:
        return np.ones(rows, np.bool_)
    false_so_far = np.concatenate([[0], np.cumsum(~flags)])
    out = np.zeros(rows, np.bool_)
    ends = len(flags) - count + 1
    if ends > 0:
        out[rows - ends :] = false_so_far[count:] == false_so_far[:-count]
    return out
