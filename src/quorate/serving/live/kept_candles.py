"""Candles of a source that is slow to ask: each is read once."""

from __future__ import annotations

import numpy as np

from quorate.core.types import CANDLE_COLUMNS, Candles, Funding
from quorate.market.source import CandleSource


class KeptCandles:
    """A `CandleSource` that keeps what it has read of another, and then asks for the bars since. Not thread-safe.

    Args:
        source: such as an exchange.
    """

    def __init__(self, source: CandleSource) -> None:
        self._source = source
        # Symbol and timeframe -> from where on they are complete, and the candles.
        self._kept: dict[tuple[str, str], tuple[int | None, Candles]] = {}

    def symbols(self, timeframe: str, perpetual: bool | None = None) -> tuple[str, ...]:
        """As of the source."""
        return self._source.symbols(timeframe, perpetual)

    def candles(self, symbol: str, timeframe: str, start: int | None = None, end: int | None = None) -> Candles:
        """As of the source; `end` is applied to what is kept, so that later bars are read too."""
        market = symbol, timeframe
        first, kept = self._kept.get(market, (start, None))
        complete = first is None or (start is not None and first <= start)
        if kept is None or not len(kept) or not complete:
            found, first = self._source.candles(symbol, timeframe, start), start
        else:
            # The newest kept bar is read again: a source may have corrected it since it closed.
            new = self._source.candles(symbol, timeframe, int(kept.time[-1]))
            found = _joined(kept[: len(kept) - 1], new) if len(new) else kept
        self._kept[market] = first, found
        return found.between(start, end)

    def funding(self, symbol: str, start: int | None = None, end: int | None = None) -> Funding | None:
        """As of the source."""
        return self._source.funding(symbol, start, end)

    def mark(self, symbol: str, timeframe: str, start: int | None = None, end: int | None = None) -> Candles | None:
        """As of the source."""
        return self._source.mark(symbol, timeframe, start, end)


def _joined(before: Candles, after: Candles) -> Candles:
    """Candles of one market, one after the other."""
    columns = {
        name: np.concatenate([getattr(before, name), getattr(after, name)]) for name in ("time", *CANDLE_COLUMNS)
    }
    return Candles(before.symbol, before.timeframe, **columns, synthetic=before.synthetic or after.synthetic)
