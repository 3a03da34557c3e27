"""`quorate data`: download, import, list and check candles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quorate.cli import options

app = typer.Typer(help="Download, import, list and check candles.", no_args_is_help=True)


@app.command("download")
def download(
    symbols: options.Symbols = None,
    top: Annotated[
        int | None, typer.Option("--top", min=1, metavar="N", help="Top N perpetuals by quote volume before the span.")
    ] = None,
    timeframe: options.Timeframe = None,
    days: Annotated[
        int | None, typer.Option("--days", min=1, metavar="N", help="Length of the span in days, instead of --from.")
    ] = None,
    start: Annotated[
        int | None,
        typer.Option(
            "--from",
            parser=options.date,
            metavar="DATE",
            help="Start of the span, inclusive: YYYY-MM-DD or YYYY-MM-DDTHH:MM, in UTC.",
        ),
    ] = None,
    end: options.End = None,
    exchange: Annotated[
        str | None,
        typer.Option(
            "--exchange",
            metavar="NAME",
            help="ccxt's name of the exchange: binanceusdm for USDT-M perpetuals, binance for spot. "
            "[default: setting exchange.name]",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FOLDER", help="Freqtrade data folder to write to. [default: user_data/data/EXCHANGE]"
        ),
    ] = None,
    splits: Annotated[
        list[str] | None,
        typer.Option("--split", metavar="SYMBOL=FACTOR@DATE", help="As `quorate data split`, once rows are stored."),
    ] = None,
    statistics: Annotated[
        bool,
        typer.Option(
            "--statistics",
            help="Also open interest, long/short ratios, taker volumes and premium index of perpetuals.",
        ),
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Download candles into a Freqtrade data folder.

    Of perpetuals also mark prices and funding. Only rows that the folder lacks are downloaded: an interrupted download
    is resumed, and a second run changes nothing. Exit code 1 if a file is incomplete. Exchanges keep open interest and
    ratios for 30 days.
    """
    from quorate.cli import output
    from quorate.workflows.download import download as fetch

    with output.progress() as progress:
        result = fetch(
            out,
            days=days,
            exchange=exchange,
            splits=splits or (),
            statistics=statistics,
            progress=progress,
            symbols=symbols,
            top=top,
            timeframe=timeframe,
            start=start,
            end=end,
        )
    output.print_result(result, as_json=as_json)
    for split in result.unjoined:
        output.note(f"{split} is not joined yet: the download broke off; run it again")
    if not result.ok:
        raise typer.Exit(1)


@app.command("list")
def list_(data: options.Data, as_json: options.Json = False) -> None:
    """List the files of a data folder: market, kind, rows and span."""
    from quorate.cli import output
    from quorate.workflows.check import list_candles

    found = list_candles(data)
    if not found.files:
        output.note(f"no candles in {data}; expected the folder of one exchange, such as user_data/data/binance")
    output.print_result(found, as_json=as_json)


@app.command("check")
def check(
    data: options.Data,
    full: Annotated[bool, typer.Option("--full", help="List every file and everything found.")] = False,
    as_json: options.Json = False,
) -> None:
    """Check the files of a data folder for invalid and missing rows.

    Problems are listed first, with dates. Where the folder has no files of candles itself, the nearest folder below it
    that has some is checked. Nothing is changed. Exit code 1 if a file is rejected, or there is none.
    """
    from quorate.cli import output
    from quorate.cli.render.data.checks import print_check
    from quorate.workflows import check as checking

    with output.progress() as progress:
        result = checking.check(data, progress=progress)
    if result.folder != data:
        output.note(f"no files of candles in {data} itself; checked the nearest folder, {result.folder}")
    if full or as_json:
        output.print_result(result, as_json=as_json)
    else:
        print_check(result)
    if result.scale_changes:
        output.note(
            "prices continue at another scale, and nothing is held or learned across that; if it is a redenomination, "
            f"join the history: quorate data split --data {data} {' '.join(result.scale_changes)}"
        )
    if result.changes_inside:
        output.note(
            "a bar opens at one price scale and closes at another, and later bars stay there; unlike a change between "
            "bars, this is taken for a move of the price; if it is a redenomination, join the history without that "
            f"bar: quorate data split --data {data} {' '.join(result.changes_inside)}"
        )
    if not result.ok:
        raise typer.Exit(1)


@app.command("split")
def split_(
    splits: Annotated[
        list[str],
        typer.Argument(
            metavar="SYMBOL=FACTOR@DATE",
            help="Prices from the date on are FACTOR times those before; `quorate data check` reports both.",
        ),
    ],
    data: options.Data,
    as_json: options.Json = False,
) -> None:
    """Join a market's history across a redenomination.

    Candles and mark prices before the date are multiplied by the factor, and volumes divided by it. A bar that holds
    the change, opening at one scale and closing at the other, becomes a gap. A second run changes nothing. The split is
    recorded in splits.json, and applied to rows that are downloaded or imported later.
    """
    from quorate.cli import output
    from quorate.workflows.import_candles import split_prices

    output.print_result(split_prices(data, splits), as_json=as_json)


@app.command("import")
def import_(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            help="CSV, TSV, TXT, XLSX, Parquet, Feather, JSON or zip files of any program, or folders of them.",
        ),
    ],
    data: Annotated[
        Path, typer.Option("--data", metavar="FOLDER", help="Freqtrade data folder to write to; created if missing.")
    ],
    symbol: Annotated[
        str | None,
        typer.Option("--symbol", metavar="SYMBOL", help="Market of all files. [default: by their columns or names]"),
    ] = None,
    timeframe: Annotated[
        str | None,
        typer.Option(
            "--timeframe",
            metavar="LENGTH",
            help="Length of a bar of all files. [default: by names or the rows' distance]",
        ),
    ] = None,
    perpetual: Annotated[
        bool | None, typer.Option("--perpetual/--spot", help="Kind of market of names such as BTCUSDT.")
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            "--columns", metavar="NAME=HEADER,...", help='Unknown headers, as "date=Zeit,open=Kurs"; or numbers.'
        ),
    ] = None,
    tz: Annotated[
        str | None,
        typer.Option("--tz", metavar="ZONE", help="Zone of times without one, such as Europe/Berlin. [default: UTC]"),
    ] = None,
    date_format: Annotated[
        str | None,
        typer.Option(
            "--date-format",
            metavar="ORDER",
            help="dmy or mdy for dates such as 01/05/2025; or a format as %d/%m/%Y %H:%M.",
        ),
    ] = None,
    decimal: Annotated[
        str | None,
        typer.Option(
            "--decimal", metavar="MARK", help="What stands before decimals, a point or a comma. [default: by the file]"
        ),
    ] = None,
    splits: Annotated[
        list[str] | None,
        typer.Option(
            "--split", metavar="SYMBOL=FACTOR@DATE", help="As `quorate data split`, before the rows are merged."
        ),
    ] = None,
    statistics: Annotated[
        bool,
        typer.Option("--statistics", help="Also store the taker volumes of perpetuals in Binance's candle archives."),
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Import candle files of other programs.

    Columns are found by their names in many languages; decimal commas, thousands separators and the order of dates are
    decided by whole columns. A file that leaves something open is refused with the command that imports it, and the
    others go on. Rows are checked and merged into the folder; a second run changes nothing. Rows that contradict each
    other are written to a quarantine file. Exit code 1 for either. Binance's archives of market statistics, metrics and
    premiumIndexKlines, are stored as such.
    """
    from quorate.cli import output
    from quorate.cli.render.data.imports import import_notes
    from quorate.workflows.import_candles import import_each

    result = import_each(
        files,
        data,
        symbol=symbol,
        timeframe=timeframe,
        perpetual=perpetual,
        columns=columns,
        tz=tz,
        date_format=date_format,
        decimal=decimal,
        splits=splits or (),
        statistics=statistics,
    )
    output.print_result(result, as_json=as_json)
    for line in import_notes(result, tz):
        output.note(line)
    if not result.ok:
        raise typer.Exit(1)
