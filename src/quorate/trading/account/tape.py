"""Candles, mark prices and funding of one market, aligned by bar for the account."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from quorate.core.clock import HOUR_MS, MINUTE_MS, timeframe_ms
from quorate.core.errors import TradingError
from quorate.core.types import BoolArray, Candles, FloatArray, Funding, IntArray
from quorate.market.files.names import is_perpetual
from quorate.market.quality.funding_gaps import funding_gaps, funding_intervals
from quorate.trading.account.bar import Bar, Settlement
from quorate.trading.account.costs import new_tuple

# The longest settlement interval of the large exchanges: after a longer one, settlements are missing.
_LONGEST_INTERVAL_MS = 8 * HOUR_MS

# Settlements are stamped up to a minute late.
_TOLERANCE_MS = MINUTE_MS


class Tape:
    """The bars of one market, by open time.

    Args:
        candles: last prices.
        funding: settlements; None where unknown. A NaN rate is an unknown settlement.
        mark: mark prices of the same timeframe; bars without one use the last prices, as all do where None.
        rescaled: open times in ms of the bars at which prices continue at another scale (`scale_change_bars`).

    Attributes:
        time: open times in ms, increasing. Columns are memory views: their elements are plain numbers, read one by one
            in a third of the time that numpy takes.
        open, close: last prices.
        mark_open, mark_close, open_funding_known, rescaled: as in `Bar`; unknown marks are the last prices.
        lowest, highest: the lower of open and low, the higher of open and high; NaN only where both are.
        mark_lowest, mark_highest: those of the mark price, or of the last price where the mark is unknown.
        settled_at_open, settled_inside: row -> settlements, as in `Bar`; most rows have none.
        next_special: row -> the first row after it with a settlement or at which prices continue at another scale; the
            number of rows where there is none.
        funding_missing, mark_missing: number of rows up to and including each one with a missing settlement or an
            unknown mark price; None where there is no such row.

    Raises:
        TradingError: funding, mark and candles of different symbols or timeframes.
    """

    def __init__(
        self,
        candles: Candles,
        funding: Funding | None = None,
        mark: Candles | None = None,
        rescaled: Iterable[int] = (),
    ) -> None:
        _check(candles, funding, mark)
        mark_open, mark_high, mark_low, mark_close, mark_known = _mark_prices(candles, mark)
        settled = _Settlements(candles, funding, mark_open, mark_close)
        funding_known, open_funding_known = settled.known, settled.known_at_open
        # Markets without funding or mark prices cannot miss any.
        if not is_perpetual(candles.symbol):
            funding_known = open_funding_known = np.ones(len(candles), dtype=np.bool_)
        if ":" not in candles.symbol:
            mark_known = np.ones(len(candles), dtype=np.bool_)
        at_scale = np.isin(candles.time, np.fromiter(rescaled, np.int64))
        columns = (
            *(candles.time, candles.open, candles.high, candles.low, candles.close),
            *(mark_open, mark_high, mark_low, mark_known),
            *(funding_known, open_funding_known, at_scale),
        )
        self._columns = [_view(column) for column in columns]
        self.time, self.open, self.close = (self._columns[column] for column in (0, 1, 4))
        self.mark_open, self.open_funding_known, self.rescaled = (self._columns[column] for column in (5, 10, 11))
        self.mark_close = _view(mark_close)
        self.settled_at_open, self.settled_inside = settled.at_open, settled.inside
        self.lowest = self.mark_lowest = _view(np.fmin(candles.open, candles.low))
        self.highest = self.mark_highest = _view(np.fmax(candles.open, candles.high))
        if mark_open is not candles.open:
            self.mark_lowest = _view(np.fmin(mark_open, mark_low))
            self.mark_highest = _view(np.fmax(mark_open, mark_high))
        special = sorted({*settled.at_open, *settled.inside, *np.flatnonzero(at_scale).tolist()})
        ends = np.array([*special, len(candles)])
        self.next_special = _view(np.repeat(ends, np.diff(ends, prepend=0)))
        self.funding_missing, self.mark_missing = _missing(funding_known), _missing(mark_known)
        self._length = timeframe_ms(candles.timeframe)
        self._newest: Bar | None = None

    def row(self, time: int) -> int:
        """Row of the first bar that opens at or after `time`; the number of rows where there is none."""
        if not self.time:
            return 0
        # Where no bar is missing, the row is known without a search.
        row = (time - self.time[0]) // self._length
        if 0 <= row < len(self.time) and self.time[row] == time:
            return int(row)
        return bisect_left(self.time, time)

    def at(self, time: int) -> Bar | None:
        """The bar that opens at `time`; None in a gap."""
        # Bars are made on demand, since most are never used; the account uses one at its open and at its close.
        bar = self._newest
        if bar is None or bar.time != time:
            row = self.row(time)
            if row == len(self.time) or self.time[row] != time:
                return None
            self._newest = bar = self.bar(row)
        return bar

    def bar(self, row: int) -> Bar:
        """The bar of a row."""
        values = [column[row] for column in self._columns]
        settled = self.settled_at_open.get(row, ()), self.settled_inside.get(row, ())
        return Bar._make([*values, *settled, self.mark_close[row]])


class _Settlements:
    """Funding by bar.

    Attributes:
        at_open: row -> settlements from the end of the previous bar to this bar's open, both included; several only
            after a gap, during which positions pay funding.
        inside: row -> settlements after the open and before the end of the bar.
        known: (n,) whether no settlement is missing from the end of the previous bar to the end of the bar.
        known_at_open: (n,) whether none is missing up to the bar's open.
    """

    def __init__(
        self, candles: Candles, funding: Funding | None, mark_open: FloatArray, mark_close: FloatArray
    ) -> None:
        self.at_open: dict[int, tuple[Settlement, ...]] = {}
        self.inside: dict[int, tuple[Settlement, ...]] = {}
        length = timeframe_ms(candles.timeframe)
        if funding is None or not len(candles):
            self.known = self.known_at_open = np.zeros(len(candles), dtype=np.bool_)
            return
        finite = np.isfinite(funding.rate)
        time, rate = funding.time[finite], funding.rate[finite]
        self.known, self.known_at_open = _covered(candles.time, length, time)
        during = (time >= candles.time[0]) & (time < candles.time[-1] + length)
        time, rate = time[during], rate[during]
        row = np.searchsorted(candles.time, time, side="right") - 1
        in_gap = time >= candles.time[row] + length
        # Prices are not newer than the settlement: the open of its bar, or in a gap the last close.
        price = np.where(in_gap, mark_close[row], mark_open[row])
        at_open = in_gap | (time == candles.time[row])
        for target, chosen in ((self.at_open, at_open), (self.inside, ~at_open)):
            made = map(partial(new_tuple, Settlement), zip(rate[chosen].tolist(), price[chosen].tolist(), strict=True))
            rows = (row + in_gap)[chosen]
            if (np.diff(rows) > 0).all():
                target.update(zip(rows.tolist(), zip(made), strict=True))
                continue
            for bar, settlement in zip(rows.tolist(), made, strict=True):
                target[bar] = (*target.get(bar, ()), settlement)


def _view(column: npt.NDArray[Any]) -> memoryview[Any]:
    view: memoryview[Any] = column.data
    return view


def _missing(known: BoolArray) -> memoryview[Any] | None:
    """Number of unknown rows up to and including each one; None where all are known."""
    return None if known.all() else _view(np.cumsum(~known))


def _covered(bar_time: IntArray, length: int, settled: IntArray) -> tuple[BoolArray, BoolArray]:
    """(n,) whether no settlement can be missing from the end of the previous bar to a bar's end, and to its open.

    What is missing is judged by the market's own interval before and after, see `funding_gaps`.
    """
    if not settled.size:
        none = np.zeros(len(bar_time), dtype=np.bool_)
        return none, none
    gaps = funding_gaps(settled)
    wide = np.flatnonzero(np.diff(settled) > _LONGEST_INTERVAL_MS + _TOLERANCE_MS)
    wide = wide[~np.isin(settled[wide + 1], gaps[:, 1])]
    interval = np.minimum(funding_intervals(settled)[[0, -1]], _LONGEST_INTERVAL_MS)
    interval[interval == 0] = _LONGEST_INTERVAL_MS  # a single settlement
    far = np.iinfo(np.int64).max
    # Spans with missing settlements: from when the next one was due to when one came again.
    dues = np.sort(np.concatenate([gaps[:, 0], settled[wide] + _LONGEST_INTERVAL_MS]))
    starts = np.concatenate([[-far], dues, [settled[-1] + interval[1]]])
    resumed = np.sort(np.concatenate([gaps[:, 1], settled[wide + 1]]))
    ends = np.concatenate([[settled[0] - interval[0] - _TOLERANCE_MS], resumed, [far]])
    since = np.append(bar_time[:1], bar_time[:-1] + length)
    over = np.searchsorted(ends, since, side="right")
    begun = np.searchsorted(starts, bar_time + length - _TOLERANCE_MS, side="left")
    begun_at_open = np.searchsorted(starts, bar_time + _TOLERANCE_MS, side="right")
    return np.asarray(begun == over), np.asarray(begun_at_open == over)


def _mark_prices(
    candles: Candles, mark: Candles | None
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, BoolArray]:
    """Open, high, low and close of the mark price on the candles' rows, and (n,) whether they are the exchange's."""
    last = (candles.open, candles.high, candles.low, candles.close)
    if mark is None or not len(mark):
        return *last, np.zeros(len(candles), dtype=np.bool_)
    row = np.minimum(np.searchsorted(mark.time, candles.time), len(mark) - 1)
    known = mark.time[row] == candles.time
    open_, high, low, close = (
        np.where(known, marked[row], fallback)
        for marked, fallback in zip((mark.open, mark.high, mark.low, mark.close), last, strict=True)
    )
    return open_, high, low, close, known


def _check(candles: Candles, funding: Funding | None, mark: Candles | None) -> None:
    if funding is not None and funding.symbol != candles.symbol:
        raise TradingError(f"trade {candles.symbol}", found=f"funding of {funding.symbol}", expected="its own funding")
    if funding is not None and np.any(np.diff(funding.time) <= 0):
        raise TradingError(
            f"trade {candles.symbol}", found="funding settlements out of order", expected="increasing times"
        )
    if mark is not None and (mark.symbol, mark.timeframe) != (candles.symbol, candles.timeframe):
        raise TradingError(
            f"trade {candles.symbol} {candles.timeframe}",
            found=f"mark prices of {mark.symbol} {mark.timeframe}",
            expected="mark prices of the same market and timeframe",
        )
