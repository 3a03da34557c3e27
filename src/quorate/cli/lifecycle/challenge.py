"""`quorate challenge`: a challenger against the champion on the same bars."""

from __future__ import annotations

import getpass
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from quorate.cli import options
from quorate.cli.paper.account_options import (
    Guards,
    LiveExchange,
    Note,
    Replay,
    Speed,
    StoredData,
    Url,
    Who,
    require_replay,
)

app = typer.Typer(help="Test a challenger against the champion on the same bars.", no_args_is_help=True)

Name = Annotated[
    str | None,
    typer.Option("--name", metavar="NAME", help="Name of the challenge. [default: setting challenge.name]"),
]


@app.command("start")
def start(
    champion: Annotated[Path, typer.Option("--champion", metavar="PATH", help=options.BUNDLE)],
    challenger: Annotated[Path, typer.Option("--challenger", metavar="PATH", help=options.BUNDLE)],
    data: StoredData = None,
    exchange: LiveExchange = None,
    online: Annotated[
        bool,
        typer.Option("--online", help="The challenger's members learn on; it may be the champion's bundle."),
    ] = False,
    symbols: options.Symbols = None,
    replay: Replay = False,
    begin: options.Start = None,
    end: options.End = None,
    speed: Speed = None,
    name: Name = None,
    journal: Url = None,
    guards: Guards = True,
    policy: options.Policy = None,
    allow_training_span: options.AllowTrainingSpan = False,
    as_json: options.Json = False,
) -> None:
    """Start a challenge, or continue one that was interrupted.

    Each bundle trades a paper account of its own, with the same rules and candles. It ends by a verdict, at the horizon
    or with the candles of a replay. Ctrl-C interrupts it after the current step. Nothing is promoted.
    """
    require_replay("start the challenge", replay, data)
    from quorate.cli import output
    from quorate.cli.paper import interrupts
    from quorate.cli.render import challenge as text
    from quorate.lifecycle.challenge import Challenge

    interrupts.log_to_stderr()
    with ExitStack() as stack:
        with output.progress() as progress:
            session = stack.enter_context(
                Challenge(name, journal).session(
                    champion,
                    challenger,
                    data,
                    exchange=exchange,
                    online=online,
                    progress=progress,
                    symbols=symbols,
                    start=begin,
                    end=end,
                    speed=speed,
                    guards=guards,
                    policy=policy,
                    allow_training_span=allow_training_span,
                )
            )
        with interrupts.until_interrupted(session.stop):
            found = session.run()
    text.show(found, as_json=as_json)


@app.command("status")
def status(name: Name = None, journal: Url = None, as_json: options.Json = False) -> None:
    """Show verdict, e-values and differences of a challenge.

    They are read from the journal; the challenge need not be running. They may be looked at after every bar.
    """
    from quorate.cli.render import challenge as text
    from quorate.lifecycle.challenge import Challenge

    text.show(Challenge(name, journal).status(), as_json=as_json)


@app.command("stop")
def stop(
    name: Name = None,
    journal: Url = None,
    who: Who = None,
    note: Note = "",
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Stop a challenge for good, without a verdict on the bundles.

    One that is running ends at its next bar.
    """
    from quorate.cli.render import challenge as text
    from quorate.lifecycle.challenge import Challenge

    challenge = Challenge(name, journal)
    if not yes:
        typer.confirm(f"Stop the challenge {challenge.name} for good?", abort=True, err=True)
    text.show(challenge.stop(who=who or getpass.getuser(), note=note), as_json=as_json)


@app.command("publish")
def publish(
    name: Name = None,
    journal: Url = None,
    bundles: Annotated[
        Path, typer.Option("--bundles", metavar="PATH", help="Folder with the bundle that the challenger began at.")
    ] = Path("bundles"),
    force: Annotated[
        bool, typer.Option("--force", help="Also without a verdict for the challenger; needs --why.")
    ] = False,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="Reason, for the record.")] = "",
    by: Annotated[
        str | None, typer.Option("--by", metavar="NAME", help=f"{options.WHO} [default: your login name]")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Publish what a challenger that learns on has learnt, as a bundle.

    Refused until the challenge has ended with its victory. Nothing is promoted: see quorate bundle promote.
    """
    from quorate.cli.render import challenge as text
    from quorate.lifecycle.challenge import Challenge

    text.show_published(Challenge(name, journal).publish(bundles, why=why, by=by, force=force), as_json=as_json)


@app.command("promote")
def promote(
    name: Name = None,
    journal: Url = None,
    bundles: options.Bundles = Path("bundles"),
    force: Annotated[
        bool,
        typer.Option("--force", help="Also without a victory, or against another champion than its own; needs --why."),
    ] = False,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="Reason, for the history.")] = "",
    by: Annotated[
        str | None, typer.Option("--by", metavar="NAME", help=f"{options.WHO} [default: your login name]")
    ] = None,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Make the challenger that has won the champion of its folder, after confirmation.

    Refused until the challenge has ended with its victory over the bundle that is champion now. The history of the
    bundles names challenge and verdict.
    """
    from quorate.cli import output
    from quorate.cli.render import bundles as render
    from quorate.lifecycle.challenge import Challenge

    def confirm(question: str) -> bool:
        return yes or typer.confirm(question, err=True)

    change = Challenge(name, journal).promote(bundles, why=why, by=by, force=force, confirm=confirm)
    if change is None:
        raise typer.Abort
    output.print_json(change.to_json()) if as_json else render.show_change(change)
