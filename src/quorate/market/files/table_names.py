"""File names of tables: archives published by exchanges, and Freqtrade's names with another ending."""

from __future__ import annotations

import re
from pathlib import Path

from quorate.core.errors import DataError
from quorate.market.files.names import FORMATS, Kind, MarketFile, candle_kind, parse, require_symbol

#: Endings of tables.
TABLE_FORMATS = (".csv", ".csv.gz", ".zip", ".parquet")

# BTCUSDT-1h-2024-10.zip and BTCUSDT-1h-2024-10-28.csv as published; a prefix may state spot or futures.
_ARCHIVE = re.compile(
    r"(?:(?P<prefix>spot|futures-um)-klines-)?(?P<pair>[^\W_]{3,40})-(?P<timeframe>[1-9]\d{0,3}[mhdw])"
    r"(?:-\d{4}-\d{2}(?:-\d{2})?)?"
)

# Quote currencies, longest first: BTCFDUSD is BTC in FDUSD, not BTCFD in USD.
_QUOTES = tuple(
    sorted(
        (
            *("USDT", "USDC", "FDUSD", "TUSD", "BUSD", "USDP", "USD1", "DAI", "EURI", "BTC", "ETH", "BNB", "XRP"),
            *("TRX", "DOGE", "DOT", "SOL", "EUR", "GBP", "AUD", "TRY", "BRL", "ARS", "UAH", "RUB", "NGN", "ZAR"),
            *("PLN", "RON", "MXN", "COP", "CZK", "IDRT", "BIDR", "BVND", "BKRW", "VAI", "PAX", "UST", "JPY", "USD"),
        ),
        key=lambda quote: (-len(quote), quote),
    )
)


def parse_table(
    path: Path, *, symbol: str | None = None, timeframe: str | None = None, perpetual: bool | None = None
) -> MarketFile | None:
    """Identify a table by its name; arguments override it. None where name and arguments do not state the market.

    Spot or perpetual comes from the symbol, from `perpetual`, from the name, or from the archive's folders
    (`spot/`, `futures/um/`).

    Raises:
        UnknownSymbolError: `symbol` is not in ccxt's form.

    >>> parse_table(Path("futures/um/monthly/klines/1000PEPEUSDT-1h-2024-10.zip")).symbol
    '1000PEPE/USDT:USDT'
    >>> parse_table(Path("spot-klines-BTCUSDT-1h-2024-10-28.zip")).symbol
    'BTC/USDT'
    """
    ending = table_ending(path)
    stem = path.name.removesuffix(ending)
    freqtrade = parse(path.with_name(stem + FORMATS[0]), anywhere=True) if ending else None
    archive = _ARCHIVE.fullmatch(stem) if ending else None
    kind: Kind | None = None
    if freqtrade is not None:
        kind = freqtrade.kind if symbol is None and perpetual is None else None
        symbol, timeframe = symbol or freqtrade.symbol, timeframe or freqtrade.timeframe
    elif archive is not None:
        timeframe = timeframe or archive["timeframe"]
        if symbol is None:
            symbol = _symbol(archive["pair"], perpetual if perpetual is not None else _is_perpetual(path, archive))
    if symbol is None or timeframe is None:
        return None
    if perpetual and ":" not in symbol:
        symbol = f"{symbol}:{symbol.partition('/')[2]}"
    require_symbol(symbol)
    return MarketFile(symbol, timeframe, kind or candle_kind(symbol), path)


def table_ending(path: Path) -> str:
    """The file's ending if it is one of a table or of Freqtrade's files, else an empty string."""
    endings = sorted({*TABLE_FORMATS, *FORMATS}, key=len, reverse=True)
    return next((ending for ending in endings if path.name.endswith(ending)), "")


def require_table(
    path: Path, *, symbol: str | None = None, timeframe: str | None = None, perpetual: bool | None = None
) -> MarketFile:
    """Identify a table as `parse_table` does; one that cannot be identified is an error.

    Raises:
        DataError: name and arguments do not state the market.
        UnknownSymbolError: `symbol` is not in ccxt's form.
    """
    file = parse_table(path, symbol=symbol, timeframe=timeframe, perpetual=perpetual)
    if file is None:
        raise DataError(
            f"identify the market of {path}",
            found=f"the name {path.name!r}",
            expected="a name such as BTCUSDT-1h-2024-10.zip below spot/ or futures/um/, or BTC_USDT-1h.csv",
            remedy="Give `symbol` and `timeframe`, such as BTC/USDT:USDT and 1h.",
        )
    return file


def _is_perpetual(path: Path, archive: re.Match[str]) -> bool | None:
    """Whether the file is of a perpetual; None where neither name nor folders state it."""
    if archive["prefix"] is not None:
        return archive["prefix"] == "futures-um"
    folders = [part.lower() for part in path.parts[:-1]]
    if "um" in folders or "futures" in folders:
        return True
    return False if "spot" in folders else None


def _symbol(pair: str, perpetual: bool | None) -> str | None:
    quote = next((quote for quote in _QUOTES if pair.endswith(quote) and pair != quote), None)
    if quote is None or perpetual is None:
        return None
    symbol = f"{pair.removesuffix(quote)}/{quote}"
    return f"{symbol}:{quote}" if perpetual else symbol
