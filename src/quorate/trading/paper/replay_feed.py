"""Replay of stored candles as a feed, bar by bar, in the form of a live feed."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping

import numpy as np

from quorate.core.clock import format_ms, timeframe_ms
from quorate.core.errors import DataError
from quorate.core.text.plural import counted
from quorate.core.types import Candles, Funding
from quorate.market.feed import BarReport, Freshness

# Maximum number of candles of a market in a report, as in a live feed.
KEPT_BARS = 500


class ReplayFeed:
    """A `Feed` over stored candles.

    The report of a bar has nothing later than the bar. `opens` gives the first price of the next bar, as a live feed
    does; `marks` and `funding` include the bar that has just opened, so that a settlement at its open has the price and
    rate of a backtest. The session uses only the open of a bar that is not closed.

    The last bar of a market before the end of the span is reported as gone: its position closes at that bar's close.

    Args:
        panel: market -> candles of one timeframe; those before `start` warm the features up.
        start: only bars that open at or after it, in ms; None for all.
        end: only bars that open before it, in ms; None for all.
        funding: market -> settlements, where they are known.
        marks: market -> mark prices of the same timeframe, where they are known.
        bars_per_second: speed of the replay; None for the maximum.
        kept: maximum number of candles of a market in a report.

    Raises:
        DataError: no bar in the span, or candles of several timeframes.
    """

    def __init__(
        self,
        panel: Mapping[str, Candles],
        start: int | None = None,
        end: int | None = None,
        *,
        funding: Mapping[str, Funding | None] | None = None,
        marks: Mapping[str, Candles | None] | None = None,
        bars_per_second: float | None = None,
        kept: int = KEPT_BARS,
    ) -> None:
        self._panel = {symbol: panel[symbol].between(end=end) for symbol in sorted(panel)}
        self._funding = {symbol: known for symbol, known in (funding or {}).items() if known is not None}
        self._marks = {symbol: known for symbol, known in (marks or {}).items() if known is not None}
        timeframes = sorted({candles.timeframe for candles in self._panel.values()})
        spans = [run.time for run in (candles.between(start) for candles in self._panel.values()) if len(run)]
        if len(timeframes) != 1 or not spans:
            raise DataError(
                f"replay {counted(len(panel), 'market')}",
                found=f"timeframes {', '.join(timeframes)}" if len(timeframes) > 1 else "no bar in the span",
                expected="one timeframe"
                if len(timeframes) > 1
                else f"bars from {'the first' if start is None else format_ms(start)}",
            )
        self._timeframe = timeframes[0]
        self._first, self._last = min(int(time[0]) for time in spans), max(int(time[-1]) for time in spans)
        self._ends = {symbol: int(candles.time[-1]) for symbol, candles in self._panel.items() if len(candles)}
        self._kept, self._pause_s = kept, 1 / bars_per_second if bars_per_second else 0.0
        self._stopped = threading.Event()

    @property
    def timeframe(self) -> str:
        """Timeframe of the bars."""
        return self._timeframe

    @property
    def symbols(self) -> tuple[str, ...]:
        """The markets, sorted."""
        return tuple(self._panel)

    @property
    def panel(self) -> Mapping[str, Candles]:
        """Market -> its candles before the end of the span; those before its beginning warm the features up."""
        return self._panel

    @property
    def synthetic(self) -> bool:
        """Whether some candles are synthetic."""
        return any(candles.synthetic for candles in self._panel.values())

    @property
    def bars(self) -> int:
        """Number of bars in the span, gaps included."""
        return (self._last - self._first) // timeframe_ms(self._timeframe) + 1

    def begin(self) -> int:
        """Open time in ms of the first bar of the span."""
        return self._first

    def wait(self, bar: int) -> BarReport | None:
        """The report of the bar that opens at `bar`; None after the last one and after `stop`."""
        if bar > self._last or self._stopped.wait(self._pause_s):
            return None
        candles: dict[str, Candles] = {}
        status: dict[str, Freshness] = {}
        for symbol, whole in self._panel.items():
            upto = int(np.searchsorted(whole.time, bar, side="right"))
            if upto:
                candles[symbol] = whole[max(0, upto - self._kept) : upto]
            if upto and whole.time[upto - 1] == bar:
                status[symbol] = Freshness.GONE if bar == self._ends[symbol] else Freshness.FRESH
            else:
                status[symbol] = Freshness.GONE if bar > self._ends.get(symbol, bar - 1) else Freshness.LATE
        return BarReport(bar, candles, status)

    def opens(self, time: int) -> Mapping[str, float]:
        """Market -> the first price of the bar that opens at `time`; markets without that bar are left out."""
        found = {}
        for symbol, whole in self._panel.items():
            row = int(np.searchsorted(whole.time, time))
            if row < len(whole) and whole.time[row] == time:
                found[symbol] = float(whole.open[row])
        return found

    def marks(self, start: int, end: int, symbols: Collection[str] | None = None) -> Mapping[str, Candles]:
        """Market -> mark prices of bars that open at or after `start` and before `end`, in ms."""
        wanted = self._panel if symbols is None else symbols
        return {symbol: marks.between(start, end) for symbol, marks in self._marks.items() if symbol in wanted}

    def funding(self, start: int, end: int, symbols: Collection[str] | None = None) -> Mapping[str, Funding]:
        """Market -> settlements at or after `start` and before `end`, in ms."""
        found = {}
        wanted = self._panel if symbols is None else symbols
        for symbol, known in self._funding.items():
            if symbol not in wanted:
                continue
            rows = slice(*np.searchsorted(known.time, (start, end)).tolist())
            found[symbol] = Funding(symbol, known.time[rows], known.rate[rows])
        return found

    def age_ms(self, time: int) -> int:  # noqa: ARG002 - a replay has no current time
        """Age of the bar at `time`: 0, a replay is never late."""
        return 0

    def stop(self) -> None:
        """End the replay after the current bar."""
        self._stopped.set()
