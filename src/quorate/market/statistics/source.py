"""Protocol of a source of market statistics."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from quorate.core.types import MarketStatistics


@runtime_checkable
class StatisticsSource(Protocol):
    """Market statistics of many markets: a second ability that a `CandleSource` may have.

    It is a protocol of its own, so that a source that has candles only need not know of it. What reads statistics asks
    `isinstance(source, StatisticsSource)`, and has none of another source.
    """

    def statistics(
        self, symbol: str, timeframe: str, start: int | None = None, end: int | None = None
    ) -> MarketStatistics | None:
        """The market's statistics of the closed intervals of this length; None where the source has none.

        Args:
            symbol: in ccxt's form.
            timeframe: length of an interval, that of the bars they are read beside.
            start: first interval, inclusive, in ms UTC; None for the first there is.
            end: exclusive, in ms UTC; None for the newest.

        Raises:
            UnknownSymbolError, UnknownTimeframeError: as `CandleSource`.
            DataError: they cannot be read, or a row is invalid.
        """
        ...
