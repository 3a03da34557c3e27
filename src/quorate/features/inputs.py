"""Inputs of members at a bar: its features alone, or also those of the bars up to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from quorate.core.clock import timeframe_ms
from quorate.core.types import BoolArray, Float32Array, IntArray
from quorate.features.windows import Sequences, Windows


class Inputs:
    """Feature rows of one market or several, served to members of any window.

    Args:
        X: (n, F) float32 rows, one symbol after the other, by time within each; NaN where a feature is not known.
        time: (n,) int64 open times in ms.
        timeframe: of the bars.
        symbol: (n,) which market each row is of; None for one market.

    >>> X = np.arange(8, dtype=np.float32).reshape(4, 2)
    >>> inputs = Inputs(X, np.arange(4) * 60_000, "1m")
    >>> inputs.whole(3)
    array([False, False,  True,  True])
    >>> inputs.at(np.array([3]), 1)
    array([[6., 7.]], dtype=float32)
    >>> inputs.at(np.array([2, 3]), 3).shape
    (2, 3, 2)
    """

    def __init__(
        self,
        X: Float32Array,
        time: IntArray,
        timeframe: str,
        symbol: npt.NDArray[np.integer[Any]] | None = None,
    ) -> None:
        self.X = X
        self.time = time
        self.timeframe = timeframe
        self.symbol = symbol
        self._windows: dict[int, Windows] = {}
        self._newest: dict[int, Float32Array | None] = {}

    def __len__(self) -> int:
        return len(self.X)

    def whole(self, window: int) -> BoolArray:
        """(n,) bool, whether a member that reads `window` bars can predict at each row: the bars are there, without a
        gap, and every feature is known.
        """
        return self._of(window).whole

    def newest(self, window: int) -> Float32Array | None:
        """Inputs of such a member at the newest bar, (1, F) or (1, L, F); None where that is not `whole`.

        The same as by `whole` and `at`, computed from those bars only, as a live signal needs no others.
        """
        if window not in self._newest:
            X = self.X[-window:]
            # The newest rows of a longer window that is whole are whole.
            whole = any(longer > window and rows is not None for longer, rows in self._newest.items())
            rows = X if window == 1 else X[None]
            self._newest[window] = rows if whole or self._newest_whole(X, window) else None
        return self._newest[window]

    def _newest_whole(self, X: Float32Array, window: int) -> bool:
        time = self.time[-window:]
        joined = len(X) == window
        if joined and window > 1:
            joined = bool((time[1:] - time[:-1] == timeframe_ms(self.timeframe)).all())
        if self.symbol is not None:
            joined = joined and bool((self.symbol[-window:] == self.symbol[-1]).all())
        return joined and bool(np.isfinite(X).all())

    def lack(self, window: int) -> str:
        """Why a member that reads `window` bars cannot predict at the newest bar, as a text."""
        known: BoolArray = np.logical_and.reduce(np.isfinite(self.X[-window:]), axis=1)
        warm = len(known) if known.all() else len(known) - 1 - int(np.flatnonzero(~known)[-1])
        if warm < window:
            return f"too little history: features known on {warm} of the {window} bars it reads"
        return f"a bar is missing among the last {window}"

    def at(self, rows: IntArray, window: int) -> Float32Array | Sequences:
        """Inputs of such a member at `rows`: (B, F) for a window of 1, else (B, L, F), gathered batch by batch.

        Raises:
            FeatureError: one of the rows is not `whole`.
        """
        if window == 1:
            return self._of(1).gather(rows)[:, 0]
        return self._of(window).at(rows)

    def _of(self, window: int) -> Windows:
        if window not in self._windows:
            self._windows[window] = Windows(self.X, self.time, window, self.timeframe, self.symbol)
        return self._windows[window]
