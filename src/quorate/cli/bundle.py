"""`quorate bundle`: list, show and verify bundles, and change the champion."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quorate.cli import options

app = typer.Typer(help="List, show and verify bundles, and change the champion.", no_args_is_help=True)

_FOLDER = Path("bundles")

_Id = Annotated[str, typer.Argument(metavar="ID", help="Bundle, as listed by `quorate bundle list`.")]
_Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="Reason, for the record.")]
_By = Annotated[str | None, typer.Option("--by", metavar="NAME", help=f"{options.WHO} [default: your login name]")]


@app.command("list")
def list_(bundles: options.Bundles = _FOLDER, as_json: options.Json = False) -> None:
    """List the bundles of a folder, the champion marked."""
    from quorate.cli import output
    from quorate.workflows.bundles import list_bundles

    found = list_bundles(bundles)
    output.print_result(found, as_json=as_json)
    if found.champion is None and not as_json:
        output.note("no champion: promote one with quorate bundle promote ID")


@app.command("show")
def show(
    bundle: Annotated[
        str | None, typer.Argument(metavar="ID", help="Bundle, as listed by `quorate bundle list`. [default: champion]")
    ] = None,
    bundles: options.Bundles = _FOLDER,
    as_json: options.Json = False,
) -> None:
    """Show the manifest, the members and the history of a bundle."""
    from quorate.cli import output
    from quorate.cli.render import bundles as render
    from quorate.workflows.bundles import show_bundle

    found = show_bundle(bundles, bundle)
    output.print_json(found.to_json()) if as_json else render.show_details(found)


@app.command("verify")
def verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID", help="Bundles, as listed by `quorate bundle list`. [default: all]"),
    ] = None,
    bundles: options.Bundles = _FOLDER,
    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            metavar="FILE",
            help="Public key that must have signed them. [default: setting bundle.trusted_keys]",
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Verify the files of bundles and load their members.

    Every file is read and compared with its SHA-256 in the manifest. Exit code 1 if a bundle is refused.
    """
    from quorate.cli import output
    from quorate.workflows.bundles import verify_bundles

    found = verify_bundles(bundles, names, key=key)
    output.print_result(found, as_json=as_json)
    for one in found.bundles:
        if not one.ok:
            output.note(f"error: {one.error}")
    if not found.ok:
        raise typer.Exit(1)


@app.command("sign")
def sign(
    bundle: _Id,
    key: Annotated[Path, typer.Option("--key", metavar="FILE", help="Private Ed25519 key, a PEM file.")],
    bundles: options.Bundles = _FOLDER,
    as_json: options.Json = False,
) -> None:
    """Verify a bundle and sign its manifest, which covers every file.

    A key is made with: openssl genpkey -algorithm ed25519 -out private.pem
    """
    from quorate.cli import output
    from quorate.workflows.bundles import sign_bundle

    public = sign_bundle(bundles, bundle, key)
    if as_json:
        output.print_json({"bundle": bundle, "public_key": public})
    else:
        output.print_line(f"signed {bundle}; public key {public}")


@app.command("promote")
def promote(
    bundle: _Id, bundles: options.Bundles = _FOLDER, why: _Why = "", by: _By = None, as_json: options.Json = False
) -> None:
    """Verify a bundle and make it the champion."""
    from quorate.cli import output
    from quorate.cli.render import bundles as render
    from quorate.workflows.bundles import promote_bundle

    change = promote_bundle(bundles, bundle, why=why, by=by)
    output.print_json(change.to_json()) if as_json else render.show_change(change)


@app.command("rollback")
def rollback(bundles: options.Bundles = _FOLDER, why: _Why = "", by: _By = None, as_json: options.Json = False) -> None:
    """Make the previous champion the champion again."""
    from quorate.cli import output
    from quorate.cli.render import bundles as render
    from quorate.workflows.bundles import rollback_bundle

    change = rollback_bundle(bundles, why=why, by=by)
    output.print_json(change.to_json()) if as_json else render.show_change(change)
