"""Data beside a symbol's own candles: funding, statistics, another market's columns, the cross-section of a universe.

Arrays and look-ups by bar time only; `panel_context.py` computes them from candles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quorate.core.types import BoolArray, Float32Array, FloatArray, Funding, IntArray, MarketStatistics


@dataclass(frozen=True, slots=True, eq=False)
class MarketColumns:
    """Columns of one market, looked up by bar time.

    Attributes:
        timeframe: of the bars.
        time: (n,) int64 open times in ms, ascending.
        names: of the k columns.
        values: (n, k) float64; NaN in each column's warm-up rows.
    """

    timeframe: str
    time: IntArray
    names: tuple[str, ...]
    values: FloatArray

    def at(self, name: str, time: IntArray) -> FloatArray:
        """A column at each time: (n,) float64, NaN where the market has no bar."""
        out = np.full(len(time), np.nan)
        if len(self.time):
            rows = np.minimum(np.searchsorted(self.time, time), len(self.time) - 1)
            found = self.time[rows] == time
            out[found] = self.values[rows[found], self.names.index(name)]
        return out


@dataclass(frozen=True, slots=True, eq=False)
class CrossSection:
    """Columns of every symbol of a universe on one time axis.

    A statistic over the universe is one over the symbols present at that bar: a symbol that was listed later or has
    been delisted counts while it traded, and only then.

    Attributes:
        timeframe: of the bars.
        time: (T,) int64 open times in ms of every bar that any symbol has, ascending.
        symbols: the S symbols.
        names: of the k columns.
        values: (k, T, S) float32; NaN where a symbol has no bar, or its column no value yet.
    """

    timeframe: str
    time: IntArray
    symbols: tuple[str, ...]
    names: tuple[str, ...]
    values: Float32Array

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
            values: (n,) the symbol's own column at those times.

        Returns:
            (n,) 0 to 1, NaN where the symbol has no value or no other symbol is present.
        """
        others = self._at(name, time)
        if symbol in self.symbols:
            others = np.delete(others, self.symbols.index(symbol), axis=1)
        own = values.astype(np.float32)[:, None]
        below = np.count_nonzero(others < own, axis=1) + 0.5 * np.count_nonzero(others == own, axis=1)
        ranks = _share(below, np.isfinite(others))
        ranks[~np.isfinite(values)] = np.nan
        return ranks

    def _at(self, name: str, time: IntArray) -> Float32Array:
        """Every symbol's column at each time: (n, S), NaN at a time that no symbol has."""
        values = np.full((len(time), len(self.symbols)), np.nan, np.float32)
        if len(self.time):
            rows = np.minimum(np.searchsorted(self.time, time), len(self.time) - 1)
            found = self.time[rows] == time
            values[found] = self.values[self.names.index(name), rows[found]]
        return values


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """What context columns read. A part that is None makes its columns NaN, so that a model abstains.

    Attributes:
        funding: settlements of the symbol itself. A bar knows those up to its close, at most a day old.
        btc: columns of BTC; `market_columns` computes them from its candles.
        market: columns of the universe; `cross_section` computes them from its candles.
        statistics: market statistics of the symbol itself, in the bars' timeframe.
    """

    funding: Funding | None = None
    btc: MarketColumns | None = None
    market: CrossSection | None = None
    statistics: MarketStatistics | None = None


def _share(total: FloatArray, present: BoolArray) -> FloatArray:
    """Of (n,) totals over the (n, S) symbols present, NaN where there are none."""
    count = np.count_nonzero(present, axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
