"""`quorate llm`: the panel of language models and its recorded replies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quorate.cli import options

if TYPE_CHECKING:
    from quorate.workflows.recordings import RecordingPlan
    from quorate.workflows.recordings.shown_recordings import RecordingsList, RecordingsSummary

app = typer.Typer(help="The panel of language models, and its recorded replies.", no_args_is_help=True)

_Folder = Annotated[
    Path | None,
    typer.Option("--recordings", metavar="FOLDER", help="Folder of recordings. [default: setting llm.recordings]"),
]


@app.command("check")
def check(
    journal: Annotated[
        str | None,
        typer.Option("--journal", metavar="URL", help="Journal with the panel's costs. [default: setting journal.url]"),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Ask the provider of each role once, about a synthetic market.

    Prints what each replied or why not, how long it took, by which form it answers, and what it costs. Exit code 1 if a
    role has no valid reply.
    """
    from quorate.cli import output
    from quorate.cli.render import recordings as render
    from quorate.workflows.panel_check import check_panel

    found = check_panel(journal)
    output.print_json(found.to_json()) if as_json else render.show_check(found)
    if not found.ok:
        raise typer.Exit(1)


@app.command("record")
def record(
    bundle: options.BundlePath,
    data: options.Data,
    start: options.Start = None,
    end: options.End = None,
    symbols: Annotated[
        str | None,
        typer.Option("--symbols", metavar="A,B", help=f"{options.SYMBOLS} [default: all of the bundle's kind]"),
    ] = None,
    every_bar: Annotated[bool, typer.Option("--all", help="Also bars on which the bundle holds.")] = False,
    usd: Annotated[
        float | None,
        typer.Option("--usd", metavar="USD", help="Cap of the cost of this run. [default: setting llm.usd_per_day]"),
    ] = None,
    policy: options.Policy = None,
    allow_training_span: options.AllowTrainingSpan = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Ask the panel about past bars on which a bundle acts, and record its replies.

    Backtests and evaluations read recordings only. The number of questions and their highest cost are shown before the
    first one is asked; --json without --yes prints them and asks nothing. What is recorded already is not asked again:
    run the same command to go on after an interrupt.
    """
    from quorate.cli import output
    from quorate.cli.render import recordings as render
    from quorate.workflows.recordings import record_replies

    def confirm(plan: RecordingPlan) -> bool:
        for line in render.plan_lines(plan):
            output.note(line)
        # A document is not mixed with a question: without --yes it holds the plan.
        return yes or (not as_json and typer.confirm("Ask?", abort=True, err=True))

    with output.progress() as progress:
        found = record_replies(
            bundle,
            data,
            every_bar=every_bar,
            usd=usd,
            policy=policy,
            allow_training_span=allow_training_span,
            confirm=confirm,
            progress=progress,
            symbols=symbols,
            start=start,
            end=end,
        )
    output.print_json(found.to_json()) if as_json else render.show_recorded(found)
    if found.stopped is not None:
        raise typer.Exit(1)


@app.command("show")
def show(
    id_: Annotated[
        str | None, typer.Argument(metavar="ID", help="Recording, or the first digits of its id. [default: a summary]")
    ] = None,
    recordings: _Folder = None,
    every: Annotated[bool, typer.Option("--list", help="List single recordings.")] = False,
    symbols: Annotated[
        str | None, typer.Option("--symbols", metavar="A,B", help="Of the list: markets. [default: all]")
    ] = None,
    start: options.Start = None,
    end: options.End = None,
    as_json: options.Json = False,
) -> None:
    """Show one recorded reply, a list, or a summary of all.

    Every file is read and compared with its SHA-256. Exit code 1 if one is refused. --symbols, --from and --to select
    what is listed.
    """
    from quorate.cli import output
    from quorate.cli.render import recordings as render
    from quorate.workflows.recordings import list_recordings, load_recording, recordings_summary

    if id_ is not None:
        found = load_recording(id_, recordings)
        output.print_json(render.shown(found)) if as_json else render.show_recording(found)
        return
    listed: RecordingsList | RecordingsSummary
    if every or symbols or start is not None or end is not None:
        listed = list_recordings(recordings, symbols=symbols, start=start, end=end)
    else:
        listed = recordings_summary(recordings)
    output.print_result(listed, as_json=as_json)
    for error in listed.errors:
        output.note(f"error: {error}")
    if listed.errors:
        raise typer.Exit(1)
