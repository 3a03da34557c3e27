"""File names of tables: archives published by exchanges, and Freqtrade's names with another ending."""

from __future__ import annotations

import re
from pathlib import Path

from quorate.market.files.names import FORMATS, Kind, MarketFile, candle_kind, parse
from quorate.market.files.spellings import cuts, normal_symbol, normal_timeframe
from quorate.market.tables.readers import ending_of

# BTCUSDT-1h-2024-10.zip and BTCUSDT-1h-2024-10-28.csv as published; a prefix may state spot or futures.
_ARCHIVE = re.compile(
    r"(?:(?P<prefix>spot|futures-um)-klines-)?(?P<pair>[^\W_]{3,40})-(?P<timeframe>[1-9]\d{0,3}[mhdwHDW])"
    r"(?:-\d{4}-\d{2}(?:-\d{2})?)?"
)


def parse_table(path: Path, *, perpetual: bool | None = None) -> MarketFile | None:
    """Identify a table by its name; None where the name does not state the market for certain.

    Spot or perpetual comes from `perpetual`, from the name, or from the archive's folders (`spot/`, `futures/um/`).

    >>> parse_table(Path("futures/um/monthly/klines/1000PEPEUSDT-1h-2024-10.zip")).symbol
    '1000PEPE/USDT:USDT'
    >>> parse_table(Path("spot-klines-BTCUSDT-1h-2024-10-28.zip")).symbol
    'BTC/USDT'
    """
    ending = ending_of(path)
    stem = path.name[: len(path.name) - len(ending)]
    freqtrade = parse(path.with_name(stem + FORMATS[0]), anywhere=True) if ending else None
    if freqtrade is not None:
        symbol = normal_symbol(freqtrade.symbol)
        if perpetual and ":" not in symbol:  # a perpetual's name is not overridden by False
            symbol = normal_symbol(symbol, perpetual=True)
        kind: Kind = freqtrade.kind if symbol == normal_symbol(freqtrade.symbol) else candle_kind(symbol)
        return MarketFile(symbol, normal_timeframe(freqtrade.timeframe), kind, path)
    archive = _ARCHIVE.fullmatch(stem) if ending else None
    ways = cuts(archive["pair"]) if archive is not None else ()
    if perpetual is None:
        perpetual = is_perpetual_name(path)
    if archive is None or len(ways) != 1 or perpetual is None:
        return None
    symbol = normal_symbol("/".join(ways[0]), perpetual=perpetual)
    return MarketFile(symbol, normal_timeframe(archive["timeframe"]), candle_kind(symbol), path)


def is_perpetual_name(path: Path) -> bool | None:
    """Whether the file is of a perpetual; None where neither name nor folders state it."""
    if path.name.startswith(("spot-", "futures-um-")):
        return path.name.startswith("futures-um-")
    folders = [part.lower() for part in path.parts[:-1]]
    if "um" in folders or "futures" in folders:
        return True
    return False if "spot" in folders else None
