"""Freqtrade's file names, and the markets they name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from quorate.core.clock import timeframe_ms
from quorate.core.errors import UnknownSymbolError

Kind = Literal["spot", "futures", "mark", "funding_rate", "statistics"]

#: Formats that Freqtrade reads, in order of preference; Quorate writes the first.
FORMATS = (".feather", ".parquet", ".json.gz", ".json")

#: Subfolder of perpetuals.
FUTURES_FOLDER = "futures"

#: Subfolder of market statistics, which Freqtrade does not read: in its own folders it refuses kinds it does not know.
STATISTICS_FOLDER = "statistics"
_NAME = re.compile(r"(?P<market>.+)-(?P<timeframe>[1-9]\d{0,3}[mhdw])(?:-(?P<kind>futures|mark|funding_rate))?")
_SYMBOL = re.compile("{0}{{1,40}}/{0}{{1,20}}(?::{0}{{1,30}})?".format(r"[^\s/:\x00-\x1f\x7f\ud800-\udfff]"))

# Characters of a pair that Freqtrade replaces in file names.
_REPLACED = str.maketrans(dict.fromkeys("/ .@$+:", "_"))


@dataclass(frozen=True, slots=True, order=True)
class MarketFile:
    """One file of a data folder.

    Attributes:
        symbol: in ccxt's form.
        timeframe: of the candles; in the name of a funding file.
        kind: spot or futures for candles, mark for mark prices, funding_rate for settlements, statistics for market
            statistics.
        path: of the file.
    """

    symbol: str
    timeframe: str
    kind: Kind
    path: Path

    def to_json(self) -> dict[str, Any]:
        return {"symbol": self.symbol, "timeframe": self.timeframe, "kind": self.kind, "path": str(self.path)}


def is_perpetual(symbol: str) -> bool:
    """Whether a symbol is a perpetual's: it has a settlement currency and no expiry.

    >>> is_perpetual("BTC/USDT:USDT"), is_perpetual("BTC/USDT"), is_perpetual("BTC/USDT:USDT-251226")
    (True, False, False)
    """
    _, colon, settlement = symbol.partition(":")
    return bool(colon) and "-" not in settlement


def is_symbol(text: str) -> bool:
    """Whether a text has ccxt's form of a symbol."""
    return _SYMBOL.fullmatch(text) is not None


def require_symbol(symbol: str) -> str:
    """Return the symbol if it has ccxt's form.

    Raises:
        UnknownSymbolError: not BASE/QUOTE or BASE/QUOTE:SETTLE.
    """
    if not _SYMBOL.fullmatch(symbol):
        raise UnknownSymbolError(
            "parse the symbol",
            found=repr(symbol[:80]),
            expected="ccxt's form, such as BTC/USDT for spot or BTC/USDT:USDT for a perpetual",
        )
    return symbol


def market_path(folder: Path, symbol: str, timeframe: str, kind: Kind, suffix: str = FORMATS[0]) -> Path:
    """Path of a market's file in a Freqtrade folder.

    Raises:
        UnknownSymbolError: not in ccxt's form.
        UnknownTimeframeError: not a timeframe.

    >>> market_path(Path("binance"), "1000PEPE/USDT:USDT", "1h", "futures").as_posix()
    'binance/futures/1000PEPE_USDT_USDT-1h-futures.feather'
    """
    timeframe_ms(timeframe)
    name = f"{file_stem(require_symbol(symbol))}-{timeframe}"
    if kind == "spot":
        return folder / f"{name}{suffix}"
    return folder / (STATISTICS_FOLDER if kind == "statistics" else FUTURES_FOLDER) / f"{name}-{kind}{suffix}"


def file_stem(symbol: str) -> str:
    """How file names begin for a symbol.

    >>> file_stem("1000PEPE/USDT:USDT")
    '1000PEPE_USDT_USDT'
    """
    return symbol.translate(_REPLACED)


def candle_kind(symbol: str) -> Kind:
    """Freqtrade's kind of a market's candles."""
    return "futures" if ":" in symbol else "spot"


def parse(path: Path, *, anywhere: bool = False) -> MarketFile | None:
    """Identify a file by its path; None if it is not a name of Freqtrade's.

    Args:
        path: the file; futures, mark prices and funding are in a folder called `futures`, spot is not.
        anywhere: identify by the name alone, in any folder.

    >>> parse(Path("binance/futures/1000PEPE_USDT_USDT-1h-futures.feather")).symbol
    '1000PEPE/USDT:USDT'
    >>> parse(Path("binance/futures/universe.csv")) is None
    True
    """
    suffix = next((suffix for suffix in FORMATS if path.name.endswith(suffix)), None)
    match = _NAME.fullmatch(path.name.removesuffix(suffix)) if suffix else None
    if match is None:
        return None
    kind = match["kind"] or "spot"
    in_futures = kind != "spot" if anywhere else path.parent.name == FUTURES_FOLDER
    if in_futures == (kind == "spot"):
        return None
    # Split from the right: a further underscore replaces a character that only the base can have.
    parts = match["market"].rsplit("_", 2 if in_futures else 1)
    if len(parts) != (3 if in_futures else 2) or not all(parts):
        return None
    symbol = f"{parts[0]}/{parts[1]}:{parts[2]}" if in_futures else "/".join(parts)
    if not _SYMBOL.fullmatch(symbol):
        return None
    kinds: dict[str, Kind] = {name: name for name in get_args(Kind)}
    return MarketFile(symbol, match["timeframe"], kinds[kind], path)
