"""`quorate bundle`: bundles listed, shown and verified, and the champion changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quorate.cli import options

if TYPE_CHECKING:
    from quorate.workflows.results.bundles import ChampionChange

app = typer.Typer(help="Bundles: list, show and verify them, and change the champion.", no_args_is_help=True)

_FOLDER = Path("bundles")

_Id = Annotated[str, typer.Argument(metavar="ID", help="A bundle, as listed by `quorate bundle list`.")]
_Why = Annotated[str, typer.Option("--why", help="The reason, for the history.")]
_By = Annotated[str | None, typer.Option("--by", help="Who decided; default: the user who runs this.")]


@app.command("list")
def list_(bundles: options.Bundles = _FOLDER, as_json: options.Json = False) -> None:
    """List every bundle of a folder, the champion marked."""
    from quorate.cli import output
    from quorate.cli.render import bundles as render
    from quorate.workflows.bundles import list_bundles

    found = list_bundles(bundles)
    output.print_json(found.to_json()) if as_json else render.show_list(found)


@app.command("show")
def show(
    bundle: Annotated[str | None, typer.Argument(metavar="[ID]", help="A bundle; default: the champion.")] = None,
    bundles: options.Bundles = _FOLDER,
    as_json: options.Json = False,
) -> None:
    """Show a bundle's manifest and history."""
    from quorate.cli import output
    from quorate.cli.render import bundles as render
    from quorate.workflows.bundles import show_bundle

    found = show_bundle(bundles, bundle)
    output.print_json(found.to_json()) if as_json else render.show_details(found)


@app.command("verify")
def verify(
    names: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Bundles; default: all.")] = None,
    bundles: options.Bundles = _FOLDER,
    as_json: options.Json = False,
) -> None:
    """Read every file of every bundle against its SHA-256, and load its members. Ends with 1 when one is refused."""
    from quorate.cli import output
    from quorate.cli.render import bundles as render
    from quorate.core.configuration import load_settings
    from quorate.workflows.bundles import verify_bundles

    found = verify_bundles(bundles, names, settings=load_settings().features)
    output.print_json(found.to_json()) if as_json else render.show_verification(found)
    for one in found.bundles:
        if not one.ok:
            output.note(f"error: {one.error}")
    if not found.ok:
        raise typer.Exit(1)


@app.command("promote")
def promote(
    bundle: _Id, bundles: options.Bundles = _FOLDER, why: _Why = "", by: _By = None, as_json: options.Json = False
) -> None:
    """Make a bundle the champion, after verifying it."""
    from quorate.workflows.bundles import promote_bundle

    _changed(promote_bundle(bundles, bundle, why=why, by=by), as_json=as_json)


@app.command("rollback")
def rollback(bundles: options.Bundles = _FOLDER, why: _Why = "", by: _By = None, as_json: options.Json = False) -> None:
    """Make the champion before this one champion again, after verifying it."""
    from quorate.workflows.bundles import rollback_bundle

    _changed(rollback_bundle(bundles, why=why, by=by), as_json=as_json)


def _changed(change: ChampionChange, *, as_json: bool) -> None:
    from quorate.cli import output

    if as_json:
        output.print_json(change.to_json())
    elif not change.changed:
        output.print_line(f"{change.champion} is champion already")
    else:
        before = f", before it {change.previous}" if change.previous else ""
        output.print_line(f"champion {change.champion}{before}")
