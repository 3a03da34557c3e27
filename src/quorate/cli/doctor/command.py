"""The command `quorate doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quorate.cli import options


def doctor(
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="FOLDER", help="Freqtrade data folder. [default: those in the usual places]"),
    ] = None,
    bundles: Annotated[
        Path | None,
        typer.Option("--bundles", metavar="FOLDER", help="Folder of bundles. [default: those in the usual places]"),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Show versions, machine, settings, candles and bundles, and what is missing.

    Nothing is changed. Exit code 1 if a verb of the core cannot run.
    """
    from quorate.cli import output
    from quorate.cli.doctor.diagnosis_lines import show
    from quorate.workflows.doctor import diagnose

    found = diagnose(data, bundles)
    output.print_json(found.to_json()) if as_json else show(found)
    if not found.ok:
        raise typer.Exit(1)
