"""`quorate check`: checks of a user's own code."""

from __future__ import annotations

import typer

from quorate.cli import options

app = typer.Typer(help="Check your own code before it is used.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Without this, a group of one command would be that command."""


@app.command("features")
def features(as_json: options.Json = False) -> None:
    """Check your own feature columns for look-ahead.

    Checks the columns of the files in features.modules and of installed packages: no look-ahead, the declared warm-up,
    finite values. Exit code 1 if a column is refused.
    """
    from quorate.cli import output
    from quorate.workflows.check import check_own_columns

    found = check_own_columns()
    if found.columns or as_json:
        output.print_result(found, as_json=as_json)
    else:
        output.note("no columns of your own: name their file in quorate.toml, [features] modules = [...]")
    if not found.ok:
        raise typer.Exit(1)
