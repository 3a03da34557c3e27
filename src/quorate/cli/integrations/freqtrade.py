"""`quorate freqtrade`: the files with which Freqtrade runs a bundle, and the guards of a bot that does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quorate.cli import options

app = typer.Typer(help="Set up Freqtrade, and show and re-arm the guards of a bot.", no_args_is_help=True)

_UserData = Annotated[Path, typer.Argument(metavar="USER_DATA", help="Freqtrade's user_data folder.")]
_Journal = Annotated[
    Path | None,
    typer.Option("--journal", metavar="FILE", help="Journal of the guards. [default: setting freqtrade.journal]"),
]


@app.command("init")
def init(
    user_data: _UserData,
    bundle: Annotated[Path | None, typer.Option("--bundle", metavar="PATH", help=options.BUNDLE)] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Set our keys in files that were changed; a copy is kept.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Write strategies, configurations and a FreqAI model.

    With --bundle, its markets and its timeframe go into the configurations. Files that were changed are left as they
    are; with --force, strategy, timeframe, quorate.bundle and api_server are set in them where they are missing, or are
    others than the bundle's. All else in them stays, comments included, and FILE.bak has the file as it was.
    """
    from quorate.cli import output
    from quorate.cli.render.freqtrade import show_files
    from quorate.integrations.freqtrade.scaffold import scaffold

    placed = scaffold(user_data, bundle, force=force)
    if as_json:
        output.print_json([one.to_json() for one in placed])
    else:
        show_files(placed)


@app.command("guards")
def guards(user_data: _UserData, journal: _Journal = None, as_json: options.Json = False) -> None:
    """Show the guards of a bot, from their journal.

    The bot need not be running.
    """
    from quorate.cli import output
    from quorate.cli.render.freqtrade import show_guards
    from quorate.integrations.freqtrade.guarding.guard_runner import read_guard_runner

    state = read_guard_runner(user_data, journal).guards.to_json()
    output.print_json(state) if as_json else show_guards(state)


@app.command("rearm")
def rearm(
    user_data: _UserData,
    guard: options.Guard,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help=options.WHO)],
    journal: _Journal = None,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Re-arm a guard of a bot.

    A running bot applies it in its next loop.
    """
    from quorate.cli import output
    from quorate.core.clock import now_ms
    from quorate.integrations.freqtrade.guarding.guard_runner import read_guard_runner

    runner = read_guard_runner(user_data, journal)
    if not yes:
        typer.confirm(f"Re-arm the guard '{guard}'?", abort=True, err=True)
    move = runner.rearm(guard, now_ms(), by)
    if as_json:
        output.print_json(move.to_json())
    else:
        output.print_line(f"{move.guard}: {move.before} to {move.after}, {move.reason}")
