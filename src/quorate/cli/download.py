"""`quorate data download`: an exchange's candles into a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quorate.cli import options

if TYPE_CHECKING:
    from quorate.workflows.results.market_files import DownloadResult


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
    from quorate.workflows.download import download as fetch

    with output.progress() as progress:
        result = fetch(
            out,
            days=days,
            exchange=exchange,
            progress=progress,
            symbols=symbols,
            top=top,
            timeframe=timeframe,
            start=start,
            end=end,
        )
    if as_json:
        output.print_json(result.to_json())
    else:
        _show(result, ranked=top is not None)
    if not result.ok:
        raise typer.Exit(1)


def _show(result: DownloadResult, *, ranked: bool) -> None:
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
            file.error or (f"{file.conflicts} contradicting rows quarantined" if file.conflicts else ""),
        )
        for file in result.files
    ]
    columns = ("market", "timeframe", "kind", "rows", "added", "first", "last", "")
    output.print_rows(f"Downloaded into {result.folder}", columns, rows, prose=True)
    markets, failed = len({file.symbol for file in result.files}), sum(not file.ok for file in result.files)
    chosen = f", chosen {result.rule}" if ranked else ""
    output.print_line(
        f"{markets} markets{chosen}: {len(result.files)} files, {result.added:,} rows added, {failed} files incomplete"
    )
