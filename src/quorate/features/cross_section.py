"""What all symbols of a universe did at each bar."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from quorate.core.errors import FeatureError
from quorate.core.types import BoolArray, Candles, Float32Array, FloatArray, IntArray
from quorate.features.bars import Bars
from quorate.features.groups import price, volatility, volume
from quorate.features.matrix import fill

# What is compared across symbols. All are fractions, so that float32 keeps seven digits of them.
COMPARED = {
    column.name: column
    for column in (*price.COLUMNS, *volatility.COLUMNS, *volume.COLUMNS)
    if column.name in {"change_1", "change_4", "change_24", "volatility_20", "volume_ma_ratio"}
}


class CrossSection:
    """Columns of every symbol on one time axis: NaN where a symbol has no bar, or its column no value yet.

    A statistic over the universe is one over the symbols present at that bar: a symbol that was listed later or was
    delisted since is there while it traded, and only then.

    Args:
        panel: symbol -> candles, all in one timeframe.

    Attributes:
        timeframe: of the bars.
        time: (T,) int64 open times in ms of every bar that any symbol has.

    Raises:
        FeatureError: no symbols, or several timeframes.
        CandleError: a price or volume that cannot be.
    """

    def __init__(self, panel: Mapping[str, Candles]) -> None:
        timeframes = {candles.timeframe for candles in panel.values()}
        if len(timeframes) != 1:
            raise FeatureError(
                "compare symbols",
                found=f"{len(panel)} symbols in timeframes {', '.join(sorted(timeframes)) or 'none'}",
                expected="at least one symbol, all in one timeframe",
            )
        (self.timeframe,) = timeframes
        self.time: IntArray = np.unique(np.concatenate([candles.time for candles in panel.values()]))
        self._place = {symbol: place for place, symbol in enumerate(panel)}
        self._values = np.full((len(COMPARED), len(self.time), len(panel)), np.nan, np.float32)
        for place, candles in enumerate(panel.values()):
            columns = np.empty((len(candles), len(COMPARED)))
            fill(columns, Bars(candles), tuple(COMPARED.values()))
            self._values[:, np.searchsorted(self.time, candles.time), place] = columns.T

    def mean(self, name: str, time: IntArray) -> FloatArray:
        """Mean of a column over the symbols present at each time: (n,), NaN where there is none."""
        values = self._at(name, time)
        present = np.isfinite(values)
        return _share(np.where(present, values, 0.0).sum(axis=1, dtype=np.float64), present)

    def breadth(self, name: str, time: IntArray) -> FloatArray:
        """Share of the symbols present whose column is above 0: (n,), NaN where there is none."""
        values = self._at(name, time)
        return _share(np.count_nonzero(values > 0, axis=1).astype(np.float64), np.isfinite(values))

    def rank(self, name: str, symbol: str, time: IntArray, values: FloatArray) -> FloatArray:
        """Share of the other symbols present that are below a symbol's own values, ties counting half.

        Args:
            name: of the column.
            symbol: whose values these are; it need not be in the universe.
            time: (n,) bar times in ms.
            values: (n,) the symbol's own column there.

        Returns:
            (n,) 0 to 1, NaN where the symbol has no value or no other symbol is present.
        """
        others = self._at(name, time)
        if symbol in self._place:
            others = np.delete(others, self._place[symbol], axis=1)
        own = values.astype(np.float32)[:, None]
        below = np.count_nonzero(others < own, axis=1) + 0.5 * np.count_nonzero(others == own, axis=1)
        ranks = _share(below, np.isfinite(others))
        ranks[~np.isfinite(values)] = np.nan
        return ranks

    def _at(self, name: str, time: IntArray) -> Float32Array:
        """Every symbol's column at each time: (n, S), NaN at a time that no symbol has."""
        values = np.full((len(time), len(self._place)), np.nan, np.float32)
        if len(self.time):
            rows = np.minimum(np.searchsorted(self.time, time), len(self.time) - 1)
            found = self.time[rows] == time
            values[found] = self._values[list(COMPARED).index(name), rows[found]]
        return values


def _share(total: FloatArray, present: BoolArray) -> FloatArray:
    """Of (n,) totals over the (n, S) symbols present, NaN where there are none."""
    count = np.count_nonzero(present, axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
