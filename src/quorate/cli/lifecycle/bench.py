"""`quorate bench`: members whose votes do not count until they pass the same test again."""

from __future__ import annotations

from typing import Annotated

import typer

from quorate.cli import options
from quorate.cli.lifecycle import watch_options

app = typer.Typer(
    no_args_is_help=True, help="Members whose votes do not count for a while: who is benched, since when and why."
)

_Member = Annotated[str, typer.Argument(metavar="MEMBER", help="Member of the bundle, such as nhits.")]


@app.command("check")
def check(
    bundle: options.BundlePath,
    data: options.Data,
    symbols: watch_options.Symbols = None,
    until: watch_options.Until = None,
    as_json: options.Json = False,
) -> None:
    """Check every member on the bars that it was not fitted on, and write down who is benched.

    The result is kept beside the champion's pointer, where signals, the service, paper trading and Freqtrade find it
    if `bench.apply` is set; one with --until is a look back and is not kept. Members that are benched by hand stay so.
    """
    from quorate.cli import output
    from quorate.cli.render.lifecycle.bench import show
    from quorate.core.configuration import load_settings
    from quorate.lifecycle.bench import check_bench, watch_bench

    settings = load_settings()
    with output.progress() as progress:
        if until is None:
            found = watch_bench(bundle, data, symbols=symbols, settings=settings, progress=progress)
        else:
            found = check_bench(bundle, data, symbols=symbols, until=until, settings=settings, progress=progress)
    output.print_json(found.to_json()) if as_json else show(found, applied=settings.bench.apply)


@app.command("status")
def status(bundle: options.BundlePath, as_json: options.Json = False) -> None:
    """Show who is benched, as it was last written down."""
    from quorate.cli import output
    from quorate.cli.render.lifecycle.bench import show
    from quorate.core.configuration import load_settings
    from quorate.lifecycle.bench import BenchCheck, read_bench
    from quorate.lifecycle.drift.watched import open_bundle

    settings = load_settings()
    _, loaded = open_bundle(bundle, settings)
    found = read_bench(bundle, loaded.id) or BenchCheck(loaded.id)
    output.print_json(found.to_json()) if as_json else show(found, applied=settings.bench.apply)


@app.command("put")
def put(
    member: _Member,
    bundle: options.BundlePath,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason, for the record.")],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help=options.WHO)],
    as_json: options.Json = False,
) -> None:
    """Bench a member by hand, until `quorate bench return`."""
    from quorate.cli import output
    from quorate.cli.render.lifecycle.bench import show
    from quorate.core.configuration import load_settings
    from quorate.lifecycle.bench import put_on_bench

    settings = load_settings()
    found = put_on_bench(bundle, member, why, by, settings=settings)
    output.print_json(found.to_json()) if as_json else show(found, applied=settings.bench.apply)


@app.command("return")
def take_off(member: _Member, bundle: options.BundlePath, as_json: options.Json = False) -> None:
    """Let a member vote again that was benched by hand."""
    from quorate.cli import output
    from quorate.cli.render.lifecycle.bench import show
    from quorate.core.configuration import load_settings
    from quorate.lifecycle.bench import take_off_bench

    settings = load_settings()
    found = take_off_bench(bundle, member, settings=settings)
    output.print_json(found.to_json()) if as_json else show(found, applied=settings.bench.apply)
