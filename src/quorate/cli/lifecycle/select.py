"""`quorate select`: which members of a large bundle vote."""

from __future__ import annotations

import typer

from quorate.cli import options
from quorate.cli.lifecycle import watch_options

app = typer.Typer(no_args_is_help=True, help="Which members of a large bundle vote, by what they add to the others.")


@app.command("check")
def check(
    bundle: options.BundlePath,
    data: options.Data,
    symbols: watch_options.Symbols = None,
    until: watch_options.Until = None,
    as_json: options.Json = False,
) -> None:
    """Choose the members that vote, by the bars that they were not fitted on, and write them down.

    The setting `select.size` says how many. The result is kept beside the champion's pointer, where signals, the
    service, paper trading and Freqtrade find it; one with --until is a look back and is not kept.
    """
    from quorate.cli import output
    from quorate.cli.render.lifecycle.select import show
    from quorate.core.configuration import load_settings
    from quorate.lifecycle.selection import check_selection, watch_selection

    settings = load_settings()
    with output.progress() as progress:
        if until is None:
            found = watch_selection(bundle, data, symbols=symbols, settings=settings, progress=progress)
        else:
            found = check_selection(bundle, data, symbols=symbols, until=until, settings=settings, progress=progress)
    output.print_json(found.to_json()) if as_json else show(found)


@app.command("status")
def status(bundle: options.BundlePath, as_json: options.Json = False) -> None:
    """Show who votes, as it was last written down."""
    from quorate.cli import output
    from quorate.cli.render.lifecycle.select import show
    from quorate.core.configuration import load_settings
    from quorate.ensemble.selection import Membership
    from quorate.lifecycle.drift.watched import open_bundle
    from quorate.lifecycle.selection import SelectionCheck, read_selection

    settings = load_settings()
    _, loaded = open_bundle(bundle, settings)
    size = Membership(settings.select.size).count(loaded.members.order)
    unknown = SelectionCheck(loaded.id, Membership(size if size < len(loaded.members) else 0))
    found = read_selection(bundle, loaded.id) or unknown
    output.print_json(found.to_json()) if as_json else show(found)
