"""File names of tables: archives published by exchanges, and Freqtrade's names with another ending."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from quorate.core.errors import DataError
from quorate.market.files.names import FORMATS, Kind, MarketFile, candle_kind, parse
from quorate.market.files.spellings import cuts, normal_symbol, normal_timeframe

#: Endings of tables.
TABLE_FORMATS = (".csv", ".csv.gz", ".zip", ".parquet")

# Endings of tables that other programs write, and that are not read.
_OTHER_PROGRAMS = (".xlsx", ".xls", ".ods", ".tsv", ".hst", ".pkl", ".h5", ".hdf5", ".db", ".sqlite")

# BTCUSDT-1h-2024-10.zip and BTCUSDT-1h-2024-10-28.csv as published; a prefix may state spot or futures.
_ARCHIVE = re.compile(
    r"(?:(?P<prefix>spot|futures-um)-klines-)?(?P<pair>[^\W_]{3,40})-(?P<timeframe>[1-9]\d{0,3}[mhdwHDW])"
    r"(?:-\d{4}-\d{2}(?:-\d{2})?)?"
)


def parse_table(
    path: Path, *, symbol: str | None = None, timeframe: str | None = None, perpetual: bool | None = None
) -> MarketFile | None:
    """Identify a table by its name; arguments override it. None where name and arguments do not state the market.

    Spot or perpetual comes from the symbol, from `perpetual`, from the name, or from the archive's folders
    (`spot/`, `futures/um/`). Other spellings of symbol and timeframe are accepted, see `spellings`.

    Raises:
        UnknownSymbolError: `symbol` is none, or one that can be read in two ways.

    >>> parse_table(Path("futures/um/monthly/klines/1000PEPEUSDT-1h-2024-10.zip")).symbol
    '1000PEPE/USDT:USDT'
    >>> parse_table(Path("spot-klines-BTCUSDT-1h-2024-10-28.zip")).symbol
    'BTC/USDT'
    """
    found = _identify(path, symbol, timeframe, perpetual)
    return found if isinstance(found, MarketFile) else None


def table_ending(path: Path) -> str:
    """The file's ending if it is one of a table or of Freqtrade's files, else an empty string."""
    endings = sorted({*TABLE_FORMATS, *FORMATS}, key=len, reverse=True)
    return next((ending for ending in endings if path.name.endswith(ending)), "")


def require_table(
    path: Path, *, symbol: str | None = None, timeframe: str | None = None, perpetual: bool | None = None
) -> MarketFile:
    """Identify a table as `parse_table` does; one that cannot be identified is an error.

    Raises:
        DataError: name and arguments do not state the market, or the name can be read in two ways.
        UnknownSymbolError: `symbol` is none, or one that can be read in two ways.
    """
    file = _identify(path, symbol, timeframe, perpetual)
    if isinstance(file, MarketFile):
        return file
    if not table_ending(path) and path.suffix.lower() in (*_OTHER_PROGRAMS, ".txt"):
        raise DataError(
            f"identify the market of {path}",
            found=f"the ending {path.suffix!r}",
            expected=f"one of {', '.join(sorted({*TABLE_FORMATS, *FORMATS}))}",
            remedy=f"Save the table as CSV. {_Unknown().remedy}",
        )
    raise DataError(
        f"identify the market of {path}",
        found=f"the name {path.name!r}{file.found}",
        expected="a name such as BTCUSDT-1h-2024-10.zip below spot/ or futures/um/, or BTC_USDT-1h.csv",
        remedy=file.remedy,
    )


class _Unknown(NamedTuple):
    """What a name lacks, and what to do about it."""

    found: str = ""
    remedy: str = "Give `symbol` and `timeframe`, such as BTC/USDT:USDT and 1h."


def _identify(path: Path, symbol: str | None, timeframe: str | None, perpetual: bool | None) -> MarketFile | _Unknown:
    ending = table_ending(path)
    stem = path.name.removesuffix(ending)
    freqtrade = parse(path.with_name(stem + FORMATS[0]), anywhere=True) if ending else None
    archive = _ARCHIVE.fullmatch(stem) if ending else None
    kind: Kind | None = None
    given = symbol is not None
    if freqtrade is not None:
        kind = freqtrade.kind if symbol is None and perpetual is None else None
        own = freqtrade.symbol.upper() if freqtrade.symbol == freqtrade.symbol.lower() else freqtrade.symbol
        symbol, timeframe = symbol or own, timeframe or freqtrade.timeframe
    elif archive is not None:
        timeframe = timeframe or archive["timeframe"]
        if symbol is None:
            if perpetual is None:
                perpetual = _is_perpetual(path, archive)
            ways = cuts(archive["pair"])
            if len(ways) > 1:
                names = " or ".join(f"{base}/{quote}" for base, quote in ways)
                return _Unknown(f", which can be {names}", "Give `symbol`, such as " + f"{'/'.join(ways[0])}.")
            if not ways:
                return _Unknown()
            if perpetual is None:
                market = "/".join(ways[0])
                return _Unknown(
                    f", which can be {market} or its perpetual",
                    f"Give `perpetual`, or `symbol` and `timeframe`: {market} is spot, "
                    f"{market}:{ways[0][1]} a perpetual. Give `symbol` and `timeframe`, such as BTC/USDT:USDT and 1h.",
                )
            symbol = "/".join(ways[0])
    if symbol is None or timeframe is None:
        return _Unknown()
    if given or perpetual is not None:
        # A Freqtrade name of a perpetual is not overridden by `perpetual=False`, which is for names that do not say it.
        symbol = normal_symbol(symbol, perpetual=perpetual if given or ":" not in symbol else None)
    return MarketFile(symbol, normal_timeframe(timeframe), kind or candle_kind(symbol), path)


def _is_perpetual(path: Path, archive: re.Match[str]) -> bool | None:
    """Whether the file is of a perpetual; None where neither name nor folders state it."""
    if archive["prefix"] is not None:
        return archive["prefix"] == "futures-um"
    folders = [part.lower() for part in path.parts[:-1]]
    if "um" in folders or "futures" in folders:
        return True
    return False if "spot" in folders else None
