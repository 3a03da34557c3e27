"""`quorate tune`: search for better settings, judged once on later bars."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quorate.cli import options
from quorate.core.errors import ArgumentError


def tune(
    data: Annotated[Path | None, typer.Option("--data", metavar="FOLDER", help=options.DATA)] = None,
    symbols: options.Symbols = None,
    top: options.Top = None,
    timeframe: options.Timeframe = None,
    start: options.Start = None,
    end: options.End = None,
    models: Annotated[
        str | None,
        typer.Option("--models", metavar="A,B", help=f"{options.MODELS} [default: those of the vote]"),
    ] = None,
    study: Annotated[
        Path | None,
        typer.Option("--study", metavar="FOLDER", help="Folder of a study, also to resume it. [default: tuning]"),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option("--minutes", min=0, metavar="N", help="Budget of the study over all its runs. [default: 10]"),
    ] = None,
    trials: Annotated[int | None, typer.Option("--trials", min=1, metavar="N", help="Most trials in all.")] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, metavar="N", help="Processes, each with one trial. [default: 1]")
    ] = None,
    engine: options.Engine = None,
    settings_file: Annotated[
        Path | None,
        typer.Option("--settings", metavar="FILE", help="File to write the winner to, as settings, where it is kept."),
    ] = None,
    status: Annotated[bool, typer.Option("--status", help="Show the study as it stands.")] = False,
    as_json: options.Json = False,
) -> None:
    """Search for settings of the members, feature set, horizon and band.

    Every trial is scored on test spans of a purged walk-forward and recorded in the trial log. When the budget is used
    up, the winner is judged once on the last part of the span, which no trial has read: how much of its gain was
    selection, and whether it is kept. A study that was interrupted, or killed, goes on with the same command.
    """
    from quorate.cli import output
    from quorate.cli.render.lifecycle.tune import show
    from quorate.lifecycle.tune.tune import tune as search
    from quorate.lifecycle.tune.tune import tune_status
    from quorate.workflows.runs.trials import RunRecord

    if status:
        if data is not None:
            raise ArgumentError("show the study", found="`data`", expected="`study` and `status=True` alone")
        found = tune_status(study)
    elif data is None:
        raise ArgumentError("search for settings", found="no `data`", expected="`data`, or `status=True`")
    else:
        with output.progress() as progress:
            found = search(
                data,
                models=models,
                study=study,
                minutes=minutes,
                trials=trials,
                workers=workers,
                settings=options.settings_with(engine),
                record=RunRecord(options.command_line()),
                progress=progress,
                symbols=symbols,
                top=top,
                timeframe=timeframe,
                start=start,
                end=end,
            )
    output.print_json(dict(found.document)) if as_json else show(found)
    if settings_file is not None:
        written = found.write_settings(settings_file)
        output.note(f"settings written to {settings_file}" if written else "no settings are written: none are kept")
