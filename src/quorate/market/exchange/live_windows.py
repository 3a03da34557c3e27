"""The newest closed candles of each market, as a live feed keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from quorate.core.clock import timeframe_ms
from quorate.core.types import CANDLE_COLUMNS, Candles
from quorate.market.columns import Columns, differs, join
from quorate.market.exchange.exchange_source import as_candles


@dataclass(slots=True)
class LiveWindow:
    """One market's newest closed candles, and the first prices of bars that are not closed yet.

    Gaps stay gaps. A candle that comes again with other values is believed, since the exchange has the last word about
    its own candles, and named, since decisions were made on the old one.
    """

    symbol: str
    timeframe: str
    candles: Candles | None = None
    opens: dict[int, float] = field(default_factory=dict)

    @property
    def newest(self) -> int | None:
        """The newest closed candle's open time in ms UTC; None while there is none."""
        return int(self.candles.time[-1]) if self.candles is not None and len(self.candles) else None

    def add(self, closed: Columns, running: Columns) -> tuple[int, ...]:
        """Take in judged candles, sorted and each once; the times of those that were revised come back.

        Args:
            closed: closed candles.
            running: rows of bars that are not closed yet.
        """
        if len(running):
            self.opens = dict(zip(running.time.tolist(), running.open.tolist(), strict=True))
        if not len(closed):
            return ()
        revised: tuple[int, ...] = ()
        if self.candles is not None and len(self.candles):
            old = Columns(*(getattr(self.candles, name) for name in ("time", *CANDLE_COLUMNS)))
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
        """At most so many candles, the newest of them this bar; None where there is none that early."""
        if self.candles is None:
            return None
        candles = self.candles.between(end=bar + 1).tail(bars)
        return candles if len(candles) else None

    def forget(self, bar: int, bars: int) -> None:
        """Drop what no window that ends at `bar` or later needs."""
        if self.candles is not None:
            first = bar - (bars - 1) * timeframe_ms(self.timeframe)
            self.candles = self.candles.between(first)

    def open_of(self, time: int) -> float | None:
        """The first price of the bar that opens then, closed or running; None where it is not known."""
        if self.candles is not None:
            row = int(np.searchsorted(self.candles.time, time))
            if row < len(self.candles) and int(self.candles.time[row]) == time:
                return float(self.candles.open[row])
        return self.opens.get(time)
