"""`quorate data`: candles fetched, imported, listed and checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quorate.cli import download, options

if TYPE_CHECKING:
    from quorate.workflows.results.market_files import CheckResult

app = typer.Typer(help="Candles: download, import, list and check them.", no_args_is_help=True)
app.command("download")(download.download)


@app.command("list")
def list_(data: options.Data, as_json: options.Json = False) -> None:
    """List every file of a folder: market, kind, rows and span."""
    from quorate.cli import output
    from quorate.core.clock import format_ms
    from quorate.workflows.check import list_candles

    found = list_candles(data)
    if not found.files:
        output.note(f"no candles in {data}: Freqtrade keeps one folder an exchange, such as user_data/data/binance")
    if as_json:
        output.print_json(found.to_json())
        return
    rows = [
        (
            file.symbol + (" (synthetic)" if file.synthetic else ""),
            file.timeframe,
            file.kind,
            f"{file.rows:,}",
            "" if file.start is None else format_ms(file.start),
            "" if file.end is None else format_ms(file.end),
            file.error,
        )
        for file in found.files
    ]
    output.print_rows(
        f"{len(found.files)} files in {data}", ("market", "timeframe", "kind", "rows", "first", "last", ""), rows
    )


@app.command("check")
def check(data: options.Data, as_json: options.Json = False) -> None:
    """Check every file of a folder. Ends with 1 when a file has to be rejected."""
    from quorate.cli import output
    from quorate.workflows import check as checking

    with output.progress() as progress:
        result = checking.check(data, progress=progress)
    if as_json:
        output.print_json(result.to_json())
    else:
        _show(result)
    if not result.ok:
        raise typer.Exit(1)


@app.command("import")
def import_(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="CSV, Parquet, the exchange's zips, or folders.")
    ],
    data: Annotated[Path, typer.Option("--data", help="The Freqtrade data folder to fill; made if absent.")],
    symbol: Annotated[
        str | None, typer.Option("--symbol", help="Of all files, where their names do not contain it.")
    ] = None,
    timeframe: Annotated[str | None, typer.Option("--timeframe", help="The same.")] = None,
    perpetual: Annotated[
        bool | None, typer.Option("--perpetual/--spot", help="What BTCUSDT-1h.csv and the like are.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Read other programs' candles, check them, and merge them into a folder. A second run changes nothing."""
    from quorate.cli import output
    from quorate.workflows.import_candles import import_candles

    result = import_candles(files, data, symbol=symbol, timeframe=timeframe, perpetual=perpetual)
    if as_json:
        output.print_json(result.to_json())
        return
    rows = [
        (
            market.symbol,
            market.timeframe,
            market.kind,
            f"{market.merged.stored.rows:,}",
            f"{market.merged.added:,}",
            f"{market.merged.duplicates + market.report.duplicates:,}",
            f"{market.merged.conflicts + market.report.conflicts:,}",
            market.merged.stored.path.name if market.merged.stored.changed else "unchanged",
        )
        for market in result.markets
    ]
    columns = ("market", "timeframe", "kind", "rows", "added", "known", "conflicts", "file")
    output.print_rows(f"Imported into {data}", columns, rows, prose=True)
    for path in result.skipped:
        output.note(f"skipped {path}: its name contains no market; give --symbol and --timeframe")


def _show(result: CheckResult) -> None:
    """A line a file, and the totals."""
    from quorate.cli import output

    rows = []
    for item in result.files:
        report = item.report
        if report is None:
            rows.append((item.path.name, "REJECTED", "", "", item.error))
            continue
        found = [
            f"{count:,} {what}"
            for what, count in (
                ("missing bars", report.missing_bars),
                ("equal duplicates", report.duplicates),
                ("conflicting rows", report.conflicts),
                ("out of order", report.out_of_order),
                ("still running", report.running),
                ("without volume", report.zero_volume),
                ("spikes", len(report.spikes)),
            )
            if count
        ]
        found += [str(fault) for fault in report.faults]
        verdict = "ok" if report.ok else "REJECTED"
        rows.append((item.path.name, verdict, f"{report.rows:,}", f"{report.gaps:,}", "; ".join(found)))
    output.print_rows(f"Files of {result.folder}", ("file", "verdict", "rows", "gaps", "found"), rows, prose=True)
    total = sum(item.report.rows for item in result.files if item.report is not None)
    output.print_line(f"{len(result.files)} files, {total:,} rows, {result.rejected} rejected")
