"""`quorate data download`: an exchange's candles into a folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quorate.cli import options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quorate.market.exchange import Downloaded, Exchange

# Freqtrade keeps an exchange's spot and perpetuals in one folder, named for the exchange.
_FOLDERS = {"binanceusdm": "binance"}


def download(
    symbols: options.Symbols = None,
    top: Annotated[int | None, typer.Option("--top", min=1, help="The N most traded perpetuals instead.")] = None,
    timeframe: options.Timeframe = "1h",
    days: Annotated[int | None, typer.Option("--days", min=1, help="The newest days; else --from.")] = None,
    start: options.Start = None,
    end: options.End = None,
    exchange: Annotated[
        str | None, typer.Option("--exchange", help="ccxt's name: binanceusdm for USDT-M perpetuals, binance for spot.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="The Freqtrade data folder to fill; else user_data/data/<exchange>.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Fetch candles, and of perpetuals mark prices and funding; only what the folder lacks. Ends with 1 on gaps left.

    Interrupted, it goes on where it was; a second run changes nothing.
    """
    from quorate.cli import output
    from quorate.core.configuration import load_settings
    from quorate.market.exchange import Exchange, download
    from quorate.trading.account.contracts import ask_contracts, write_contracts

    chosen = options.split_symbols(symbols)
    if bool(chosen) == (top is not None):
        raise typer.BadParameter("give either --symbols A,B or --top N", param_hint="--symbols")
    if (days is None) == (start is None):
        raise typer.BadParameter("give either --days N or --from DATE", param_hint="--days")
    settings = load_settings()
    asked = settings.exchange if exchange is None else replace(settings.exchange, name=exchange)
    folder = out or Path("user_data/data") / _FOLDERS.get(asked.name, asked.name)
    with Exchange(asked) as source, output.progress() as tell:
        first = _first(source, timeframe, start, end, days)
        rule = "as named"
        if top is not None:
            from quorate.market.exchange import top as ranking

            tell("ranking markets", 0, 1)
            ranked = ranking(source, top, first, settings.universe)
            tell("ranking markets", 1, 1)
            chosen, rule = ranked.symbols, ranked.rule
        files = download(source, folder, chosen, timeframe, first, end, progress=tell)
        write_contracts(folder, ask_contracts(source, chosen).values())
    if as_json:
        output.print_json(_document(asked.name, folder, chosen, rule, files))
    else:
        _show(folder, rule if top else "", files)
    if not all(file.ok for file in files):
        raise typer.Exit(1)


def _first(source: Exchange, timeframe: str, start: int | None, end: int | None, days: int | None) -> int:
    """The first bar: as named, or so many days before the end or before the close of the newest bar."""
    from quorate.core.clock import DAY_MS, newest_closed_ms, timeframe_ms

    if start is not None:
        return start
    if end is None:
        end = newest_closed_ms(timeframe, source.present().early) + timeframe_ms(timeframe)
    return end - (days or 0) * DAY_MS


def _document(
    exchange: str, folder: Path, symbols: Sequence[str], rule: str, files: Sequence[Downloaded]
) -> dict[str, Any]:
    return {
        "exchange": exchange,
        "folder": str(folder),
        "symbols": list(symbols),
        "rule": rule,
        "added": sum(file.added for file in files),
        "ok": all(file.ok for file in files),
        "files": [file.to_json() for file in files],
    }


def _show(folder: Path, rule: str, files: Sequence[Downloaded]) -> None:
    from quorate.cli import output
    from quorate.core.clock import format_ms

    rows = [
        (
            file.symbol,
            file.timeframe,
            file.kind,
            f"{file.rows:,}",
            f"{file.added:,}",
            "" if file.start is None else format_ms(file.start),
            "" if file.end is None else format_ms(file.end),
            file.error or (f"{file.conflicts} contradicting rows put aside" if file.conflicts else ""),
        )
        for file in files
    ]
    columns = ("market", "timeframe", "kind", "rows", "added", "first", "last", "")
    output.print_rows(f"Downloaded into {folder}", columns, rows, prose=True)
    added, failed = sum(file.added for file in files), sum(not file.ok for file in files)
    markets = len({file.symbol for file in files})
    ranked = f", chosen {rule}" if rule else ""
    output.print_line(f"{markets} markets{ranked}: {len(files)} files, {added:,} rows added, {failed} files incomplete")
