"""What a source of candles promises."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Protocol, runtime_checkable

from quorate.core.clock import timeframe_ms
from quorate.core.errors import DataError, UnknownSymbolError, UnknownTimeframeError, close_match
from quorate.core.types import Candles, Funding


@runtime_checkable
class CandleSource(Protocol):
    """Candles of many markets, whatever they come from.

    Every source keeps the same promises, and one contract suite tests them all:

    - Candles are judged (`market.quality`), oldest first, and closed: a bar that is still running is left out.
    - Gaps stay gaps.
    - `start` is inclusive and `end` exclusive, both in ms UTC; a span without candles gives empty candles.
    - Asking twice gives the same rows.

    Raises (every method):
        UnknownSymbolError: no such market; the close match is named.
        UnknownTimeframeError: not a timeframe, or none that this market has.
        DataError: the source cannot be read; `CandleError` where a row cannot be true.
    """

    def symbols(self, timeframe: str, perpetual: bool | None = None) -> tuple[str, ...]:
        """Markets that have candles of this timeframe, sorted: all, only perpetuals, or everything but them."""
        ...

    def candles(self, symbol: str, timeframe: str, start: int | None = None, end: int | None = None) -> Candles:
        """The market's candles."""
        ...

    def funding(self, symbol: str, start: int | None = None, end: int | None = None) -> Funding | None:
        """The market's funding settlements; None where the source has none."""
        ...

    def mark(self, symbol: str, timeframe: str, start: int | None = None, end: int | None = None) -> Candles | None:
        """Mark price candles, their volume 0; None where the source has none."""
        ...


def unknown_market(
    origin: Path | str, symbol: str, timeframe: str | None, known: Collection[tuple[str, str]], remedy: str = ""
) -> DataError:
    """What a source says of a market that it does not have: the timeframes it has, or the close match.

    Args:
        origin: the source, for the message.
        symbol: what was asked for.
        timeframe: what was asked for; None for any.
        known: the (symbol, timeframe) pairs that are there.
        remedy: what to do where nothing is there at all.
    """
    attempted = f"read candles of {symbol} from {origin}"
    there = sorted({has for name, has in known if name == symbol}, key=timeframe_ms)
    if there and timeframe is not None:
        return UnknownTimeframeError(attempted, found=f"only {', '.join(there)}", expected=timeframe)
    names = sorted({name for name, _ in known})
    if not names:
        return UnknownSymbolError(attempted, found="no candles", expected=symbol, remedy=remedy)
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return UnknownSymbolError(attempted, found=shown, expected=symbol, remedy=close_match(symbol, names))
