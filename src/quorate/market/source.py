"""Protocol of a source of candles."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Protocol, runtime_checkable

from quorate.core.clock import timeframe_ms
from quorate.core.errors import DataError, UnknownSymbolError, UnknownTimeframeError, close_match
from quorate.core.types import Candles, Funding
from quorate.market.files.spellings import similar_symbols


@runtime_checkable
class CandleSource(Protocol):
    """Candles of many markets.

    The contract of all sources, tested by one suite:

    - Candles are checked (`market.quality`), oldest first, and closed: the bar that is not closed is left out.
    - Missing bars are not filled.
    - `start` is inclusive and `end` exclusive, both in ms UTC; a span without candles returns empty candles.
    - The same call returns the same rows.

    Raises (every method):
        UnknownSymbolError: no such market; the close match is named.
        UnknownTimeframeError: not a timeframe, or one that this market does not have.
        DataError: the source cannot be read; `CandleError` for an invalid row.
    """

    def symbols(self, timeframe: str, perpetual: bool | None = None) -> tuple[str, ...]:
        """Markets with candles of this timeframe, sorted: all, only perpetuals (True), or only others (False)."""
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
    """Build the error for a market or timeframe that a source does not have, with what it has or the close match.

    Args:
        origin: the source, for the message.
        symbol: the requested market.
        timeframe: the requested timeframe; None for any.
        known: the (symbol, timeframe) pairs of the source.
        remedy: for a source without candles.
    """
    attempted = f"read candles of {symbol} from {origin}"
    there = sorted({has for name, has in known if name == symbol}, key=timeframe_ms)
    if there and timeframe is not None:
        return UnknownTimeframeError(attempted, found=f"only {', '.join(there)}", expected=timeframe)
    names = sorted({name for name, _ in known})
    if not names:
        return UnknownSymbolError(attempted, found="no candles", expected=symbol, remedy=remedy)
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    near = similar_symbols(symbol, names)[:3]
    quoted = " or ".join(f"'{name}'" for name in near)
    remedy = f"Did you mean {quoted}?" if near else close_match(symbol, names)
    return UnknownSymbolError(attempted, found=shown, expected=symbol, remedy=remedy)


def one_market(attempted: str, first: str, second: str) -> DataError:
    """Build the error for one market under two names (`spellings.same_name`)."""
    return DataError(
        attempted,
        found=f"{first} and {second}, two names of one market, which would be counted twice",
        expected="each market once",
        remedy="Keep one of them, in ccxt's form: BTC/USDT for spot, BTC/USDT:USDT for a perpetual.",
    )
