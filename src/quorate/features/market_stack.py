"""Bars of several markets, computed together: numpy is called once for all of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from quorate.core.types import CANDLE_COLUMNS, FloatArray
from quorate.features.bars import Bars
from quorate.features.column import Compute


class MarketStack:
    """Bars of S markets of one timeframe and one length n.

    Args:
        markets: at least one.
    """

    def __init__(self, markets: Sequence[Bars]) -> None:
        self._markets = markets
        self.markets = (len(markets),)

    def __len__(self) -> int:
        return len(self._markets[0])

    def part(self, first: int, last: int) -> Bars:
        """Rows `first` to `last`, exclusive, of every market."""
        return _StackedBars(self._markets, first, last)


def each_alone(compute: Compute, bars: Bars) -> npt.NDArray[Any]:
    """The values of a column that takes one market at a time, with one row for each: (S, m)."""
    rows = [compute(part) for part in bars.parts()] if isinstance(bars, _StackedBars) else [compute(bars)]
    least = min(map(len, rows))
    return _stack([row[len(row) - least :] for row in rows])


class _StackedBars(Bars):
    """Bars whose arrays are (S, n), one market in a row: columns index the last axis, and results are the same.

    Results that carry a state are those of each market.
    """

    def __init__(self, markets: Sequence[Bars], first: int, last: int) -> None:
        self._markets, self._rows = markets, slice(first, last)
        self.markets = (len(markets),)
        self._memory = {}
        self.symbol, self.timeframe, self.context = "", markets[0].timeframe, None
        for name in ("time", *CANDLE_COLUMNS):
            setattr(self, name, self._stacked([getattr(market, name) for market in markets]))

    def parts(self) -> list[Bars]:
        """The bars of each market by itself."""
        return self.once("parts", lambda: [market.part(self._rows.start, self._rows.stop) for market in self._markets])

    def carried(self, key: Hashable, compute: Callable[[Bars], FloatArray]) -> FloatArray:
        return self.once(key, lambda: self._stacked([market.carried(key, compute) for market in self._markets]))

    def _stacked(self, histories: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        rows = self._rows
        return _stack([history[rows] for history in histories])

    def talib(self, function: Callable[..., Any], period: int, *series: FloatArray) -> FloatArray:
        return _stack([function(*rows, period) for rows in zip(*series, strict=True)])


def _stack(rows: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """(S, n) of S rows."""
    return np.concatenate(rows).reshape(len(rows), -1)
