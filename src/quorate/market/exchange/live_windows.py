"""Windows of the newest closed candles of a live feed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from quorate.core.clock import timeframe_ms
from quorate.core.types import CANDLE_COLUMNS, Candles
from quorate.market.columns import NO_ROWS, Columns, differs, join
from quorate.market.exchange.exchange_source import as_candles


@dataclass(slots=True)
class LiveWindow:
    """Newest closed candles of one market, and the open prices of bars that are not closed.

    Missing bars are not filled. A candle received again with other values replaces the old one, since the exchange
    revised it, and is reported, since decisions used the old values.
    """

    symbol: str
    timeframe: str
    candles: Candles | None = None
    opens: dict[int, float] = field(default_factory=dict)

    @property
    def newest(self) -> int | None:
        """Open time of the newest closed candle in ms UTC; None without one."""
        return int(self.candles.time[-1]) if self.candles is not None and len(self.candles) else None

    def columns(self) -> Columns:
        """The closed candles as columns, possibly none."""
        if self.candles is None:
            return NO_ROWS
        return Columns(*(getattr(self.candles, name) for name in ("time", *CANDLE_COLUMNS)))

    def holds(self, time: int) -> bool:
        """Whether there is a closed candle of the bar at `time`."""
        times = self.columns().time
        row = int(np.searchsorted(times, time))
        return row < len(times) and int(times[row]) == time

    def last_before(self, time: int) -> float | None:
        """Close of the newest closed candle before the bar at `time`; None without one."""
        candles = self.columns()
        row = int(np.searchsorted(candles.time, time))
        return float(candles.close[row - 1]) if row else None

    def add(self, closed: Columns, running: Columns) -> tuple[int, ...]:
        """Add checked candles, sorted and without duplicates.

        Args:
            closed: closed candles.
            running: rows of bars that are not closed.

        Returns:
            Open times of revised candles in ms UTC.
        """
        if len(running):
            self.opens = dict(zip(running.time.tolist(), running.open.tolist(), strict=True))
        if not len(closed):
            return ()
        revised: tuple[int, ...] = ()
        if self.candles is not None and len(self.candles):
            old = self.columns()
            again = np.isin(old.time, closed.time)
            at = np.searchsorted(closed.time, old.time[again])
            other = np.zeros(int(again.sum()), dtype=np.bool_)
            for name in CANDLE_COLUMNS:
                other |= differs(getattr(old, name)[again], getattr(closed, name)[at])
            revised = tuple(old.time[again][other].tolist())
            closed = join([old.take(~again), closed])
            closed = closed.take(np.argsort(closed.time, kind="stable"))
        self.candles = as_candles(self.symbol, self.timeframe, closed)
        return revised

    def upto(self, bar: int, bars: int) -> Candles | None:
        """Return at most `bars` candles up to the bar that opens at `bar`; None without any."""
        if self.candles is None:
            return None
        candles = self.candles.between(end=bar + 1).tail(bars)
        return candles if len(candles) else None

    def forget(self, bar: int, bars: int) -> None:
        """Drop the candles that no window of `bars` bars ending at `bar` or later needs."""
        if self.candles is not None:
            first = bar - (bars - 1) * timeframe_ms(self.timeframe)
            self.candles = self.candles.between(first)

    def open_of(self, time: int) -> float | None:
        """Open price of the bar at `time`, closed or not; None where unknown."""
        if self.candles is not None:
            row = int(np.searchsorted(self.candles.time, time))
            if row < len(self.candles) and int(self.candles.time[row]) == time:
                return float(self.candles.open[row])
        return self.opens.get(time)
