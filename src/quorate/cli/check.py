"""`quorate check`: code of your own, before it is used."""

from __future__ import annotations

import typer

from quorate.cli import options

app = typer.Typer(help="Check code of your own before it is used.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Without this, a group of one command would be that command."""


@app.command("features")
def features(as_json: options.Json = False) -> None:
    """Check columns of your own. Ends with 1 when one is refused.

    They are those of the files in features.modules, and those of installed packages.
    """
    from quorate.cli import output
    from quorate.workflows.check import check_own_columns

    found = check_own_columns()
    if as_json:
        output.print_json(found.to_json())
    elif found.columns:
        output.print_rows(found.title, *found.lines, prose=True)
    else:
        output.note("no columns of your own: name their file in quorate.toml, [features] modules = [...]")
    if not found.ok:
        raise typer.Exit(1)
