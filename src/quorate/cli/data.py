"""`quorate data`: what candles there are, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from quorate.cli import download, options

app = typer.Typer(help="Candles: fetched, imported, listed and judged.", no_args_is_help=True)
app.command("download")(download.download)


@app.command("list")
def list_(data: options.Data, as_json: options.Json = False) -> None:
    """List every file of a folder: market, kind, rows and span."""
    from quorate.cli import output
    from quorate.core.clock import format_ms
    from quorate.market.files.listing import list_folder

    files = list_folder(data)
    if not files:
        output.note(f"no candles in {data}: Freqtrade keeps one folder an exchange, such as user_data/data/binance")
    if as_json:
        output.print_json([file.to_json() for file in files])
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
        for file in files
    ]
    output.print_rows(
        f"{len(files)} files in {data}", ("market", "timeframe", "kind", "rows", "first", "last", ""), rows
    )


@app.command("check")
def check(data: options.Data, as_json: options.Json = False) -> None:
    """Judge every file of a folder. Ends with 1 when a file has to be rejected."""
    from quorate.cli import output
    from quorate.market.files.inspection import check_folder, count_files

    total = count_files(data)
    with output.progress() as tell:
        reports = []
        for number, report in enumerate(check_folder(data), 1):
            reports.append(report)
            tell("checking files", number, total)
    if as_json:
        output.print_json([report.to_json() for report in reports])
    else:
        _show(data, reports)
    if not all(report.ok for report in reports):
        raise typer.Exit(1)


@app.command("import")
def import_(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="CSV, Parquet, the exchange's zips, or folders.")
    ],
    data: Annotated[Path, typer.Option("--data", help="The Freqtrade data folder to fill; made if absent.")],
    symbol: Annotated[str | None, typer.Option("--symbol", help="Of all files, where their names do not say.")] = None,
    timeframe: Annotated[str | None, typer.Option("--timeframe", help="The same.")] = None,
    perpetual: Annotated[
        bool | None, typer.Option("--perpetual/--spot", help="What BTCUSDT-1h.csv and the like are.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Read other programs' candles, judge them, and merge them into a folder. A second run changes nothing."""
    from quorate.cli import output
    from quorate.market.files.imports import import_files

    report = import_files(files, data, symbol=symbol, timeframe=timeframe, perpetual=perpetual)
    if as_json:
        output.print_json(report.to_json())
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
        for market in report.markets
    ]
    columns = ("market", "timeframe", "kind", "rows", "added", "known", "conflicts", "file")
    output.print_rows(f"Imported into {data}", columns, rows, prose=True)
    for path in report.skipped:
        output.note(f"skipped {path}: its name says no market; give --symbol and --timeframe")


def _show(data: Path, reports: list[Any]) -> None:
    """A line a file that is worth one, and the totals."""
    from quorate.cli import output

    rows = []
    for item in reports:
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
    output.print_rows(f"Files of {data}", ("file", "verdict", "rows", "gaps", "found"), rows, prose=True)
    rejected = sum(not item.ok for item in reports)
    total = sum(item.report.rows for item in reports if item.report is not None)
    output.print_line(f"{len(reports)} files, {total:,} rows, {rejected} rejected")
