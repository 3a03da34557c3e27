"""`quorate data`: what candles there are, and what is wrong with them."""

from __future__ import annotations

import typer

from quorate.cli import options

app = typer.Typer(help="Candles: what there is, and what is wrong with it.", no_args_is_help=True)


@app.command("list")
def list_(data: options.Data, as_json: options.Json = False) -> None:
    """List every market of a folder: rows and span of its candles, funding and mark prices."""
    from quorate.cli import output
    from quorate.market.inspection import inspect

    with output.progress() as tell:
        files = list(inspect(data, tell=tell))
    if as_json:
        output.print_json([file.to_json() for file in files])
        return
    output.print_table(
        f"{len(files)} files in {data}",
        ("market", "timeframe", "kind", "rows", "first", "last"),
        [file.row() for file in files],
    )
