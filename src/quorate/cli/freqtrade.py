"""`quorate freqtrade`: what Freqtrade needs to run a bundle, and the guards of a bot that does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quorate.cli import options

app = typer.Typer(help="Freqtrade: files for its user_data, and the guards of its bots.", no_args_is_help=True)

_UserData = Annotated[Path, typer.Argument(metavar="USER_DATA", help="Freqtrade's folder.")]
_Journal = Annotated[
    Path | None, typer.Option("--journal", help="The guards' journal, if the bot's configuration names another.")
]


@app.command("init")
def init(
    user_data: _UserData,
    bundle: Annotated[
        Path | None, typer.Option("--bundle", help="A bundle, a folder of them for its champion, or a series.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that were changed.")] = False,
    as_json: options.Json = False,
) -> None:
    """Write strategies, configurations and a FreqAI model; files that were changed stay as they are."""
    from quorate.cli import output
    from quorate.integrations.freqtrade.scaffold import scaffold

    placed = scaffold(user_data, bundle, force=force)
    if as_json:
        output.print_json([{"path": str(one.path), "deed": one.status} for one in placed])
        return
    for one in placed:
        output.print_line(f"{one.status:>11}  {one.path}")
    if any(one.status == "left" for one in placed):
        output.note("left: these files differ from what would be written; --force overwrites them")


@app.command("guards")
def guards(user_data: _UserData, journal: _Journal = None, as_json: options.Json = False) -> None:
    """Show the guards of a bot from its journal, whether it runs or not."""
    from quorate.cli import output
    from quorate.integrations.freqtrade.guarding.guard_runner import read_guard_runner

    state = read_guard_runner(user_data, journal).guards.to_json()
    if as_json:
        output.print_json(state)
        return
    rows = [
        (
            guard["guard"] if guard["symbol"] is None else f"{guard['guard']} {guard['symbol']}",
            guard["mode"],
            guard["rearm"],
            guard["until"] or "",
            guard["reason"] or guard["state"],
        )
        for guard in state["guards"]
    ]
    columns = ("guard", "mode", "re-armed by", "not before", "why, or what it has counted")
    output.print_rows(f"Guards: {state['mode']}", columns, rows, prose=True)


@app.command("rearm")
def rearm(
    user_data: _UserData,
    guard: Annotated[str, typer.Argument(metavar="GUARD", help="losses, drawdown or confidence.")],
    by: Annotated[str, typer.Option("--by", help="Who decides, for the journal.")],
    journal: _Journal = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: options.Json = False,
) -> None:
    """Re-arm a guard that does not clear by itself; a running bot applies this in its next loop."""
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
