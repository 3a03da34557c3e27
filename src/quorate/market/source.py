"""Protocol of a source of candles."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from quorate.core.clock import timeframe_ms
from quorate.core.errors import DataError, UnknownSymbolError, UnknownTimeframeError, close_match
from quorate.core.types import Candles, Funding


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
    return UnknownSymbolError(
        attempted, found=shown, expected=symbol, remedy=_same_coin(symbol, names) or close_match(symbol, names)
    )


def _same_coin(symbol: str, names: Sequence[str]) -> str:
    """Suggest the market of a multiple of the coin, as exchanges name cheap ones; an empty string without one.

    >>> _same_coin("PEPE/USDT:USDT", ["1000PEPE/USDT:USDT", "PEOPLE/USDT:USDT"])
    "Did you mean '1000PEPE/USDT:USDT'?"
    """
    coin, wanted = symbol.upper().partition("/")[::2]
    for name in names:
        base, rest = name.partition("/")[::2]
        multiple = base.removesuffix(coin)
        if coin and multiple != base and multiple.strip("0") == "1" and (rest == wanted or not wanted):
            return f"Did you mean '{name}'?"
    return ""


def one_market(attempted: str, first: str, second: str) -> DataError:
    """Build the error for one market under two names (`spellings.same_name`)."""
    return DataError(
        attempted,
        found=f"{first} and {second}, two names of one market, which would be counted twice",
        expected="each market once",
        remedy="Keep one of them, in ccxt's form: BTC/USDT for spot, BTC/USDT:USDT for a perpetual.",
    )
