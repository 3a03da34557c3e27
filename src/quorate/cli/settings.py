"""`quorate settings`: what quorate.toml can hold."""

from __future__ import annotations

import typer

app = typer.Typer(help="Describe the settings for editors.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Without this, a group of one command would be that command."""


@app.command("schema")
def schema() -> None:
    """Print the JSON schema of quorate.toml.

    Editors check and complete the file with it. It has the type, default, description, choices and range of every
    setting, also of the sections of other installed packages.
    """
    from quorate.cli import output
    from quorate.workflows.settings_schema import settings_schema

    output.print_json(settings_schema())
