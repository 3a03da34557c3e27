"""Candles of a source that is slow to ask: each is read once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from quorate.core.types import CANDLE_COLUMNS, Candles, Funding
from quorate.market.source import CandleSource


class KeptCandles:
    """A `CandleSource` that keeps what it has read of another, and then asks for what is new. Not thread-safe.

    Args:
        source: such as an exchange.
    """

    def __init__(self, source: CandleSource) -> None:
        self._source = source
        # What of which market -> from where on it is complete, and what was read.
        self._candles: dict[tuple[str, ...], tuple[int | None, Candles]] = {}
        self._funding: dict[str, tuple[int | None, Funding]] = {}

    def symbols(self, timeframe: str, perpetual: bool | None = None) -> tuple[str, ...]:
        """As of the source."""
        return self._source.symbols(timeframe, perpetual)

    def candles(self, symbol: str, timeframe: str, start: int | None = None, end: int | None = None) -> Candles:
        """As of the source; `end` is applied to what is kept, so that later bars are read too."""
        found = self._bars(
            ("candles", symbol, timeframe), lambda first: self._source.candles(symbol, timeframe, first), start
        )
        assert found is not None  # noqa: S101 - a source without candles of the market raises
        return found.between(start, end)

    def mark(self, symbol: str, timeframe: str, start: int | None = None, end: int | None = None) -> Candles | None:
        """As of the source."""
        found = self._bars(
            ("mark", symbol, timeframe), lambda first: self._source.mark(symbol, timeframe, first), start
        )
        return None if found is None else found.between(start, end)

    def funding(self, symbol: str, start: int | None = None, end: int | None = None) -> Funding | None:
        """As of the source; a settlement that is kept is final."""
        first, kept = self._funding.get(symbol, (start, None))
        if kept is None or not len(kept) or not _complete(first, start):
            found, first = self._source.funding(symbol, start), start
        else:
            new = self._source.funding(symbol, int(kept.time[-1]) + 1)
            found = kept if new is None or not len(new) else _settled(kept, new)
        if found is None:
            return None
        self._funding[symbol] = first, found
        rows = slice(
            None if start is None else int(np.searchsorted(found.time, start)),
            None if end is None else int(np.searchsorted(found.time, end)),
        )
        return Funding(symbol, found.time[rows], found.rate[rows])

    def _bars(
        self, what: tuple[str, ...], read: Callable[[int | None], Candles | None], start: int | None
    ) -> Candles | None:
        first, kept = self._candles.get(what, (start, None))
        if kept is None or not len(kept) or not _complete(first, start):
            found, first = read(start), start
        else:
            # The newest kept bar is read again: a source may have corrected it since it closed.
            new = read(int(kept.time[-1]))
            found = kept if new is None or not len(new) else _joined(kept[: len(kept) - 1], new)
        if found is not None:
            self._candles[what] = first, found
        return found


def _complete(first: int | None, start: int | None) -> bool:
    """Whether what is kept from `first` on has everything from `start` on."""
    return first is None or (start is not None and first <= start)


def _settled(before: Funding, after: Funding) -> Funding:
    """Settlements of one market, one after the other."""
    time, rate = (np.concatenate([getattr(before, name), getattr(after, name)]) for name in ("time", "rate"))
    return Funding(before.symbol, time, rate)


def _joined(before: Candles, after: Candles) -> Candles:
    """Candles of one market, one after the other."""
    columns = {
        name: np.concatenate([getattr(before, name), getattr(after, name)]) for name in ("time", *CANDLE_COLUMNS)
    }
    return Candles(before.symbol, before.timeframe, **columns, synthetic=before.synthetic or after.synthetic)
