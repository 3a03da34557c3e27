"""`quorate serve`: signals, bundles and health over HTTP."""

from __future__ import annotations

from typing import Annotated

import typer

from quorate.cli import options


def serve(
    bundle: options.BundlePath,
    data: options.Data,
    timeframe: Annotated[
        str | None,
        typer.Option(
            "--timeframe",
            metavar="LENGTH",
            help=f"{options.TIMEFRAME} Refused if it is not the bundle's. [default: the bundle's]",
        ),
    ] = None,
    symbols: Annotated[
        str | None,
        typer.Option("--symbols", metavar="A,B", help=f"{options.SYMBOLS} [default: all of the bundle's kind]"),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option("--host", metavar="ADDRESS", help="Address to listen on. [default: setting serve.host]"),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            min=0,
            max=65_535,
            metavar="N",
            help="Port to listen on; 0 for any free one. [default: setting serve.port]",
        ),
    ] = None,
    policy: options.Policy = None,
    allow_training_span: options.AllowTrainingSpan = False,
) -> None:
    """Serve signals over HTTP, with a champion that can be replaced while requests are answered.

    The champion of a folder of bundles is followed: a promotion is in use within a second. Ctrl-C ends it after the
    requests in progress.
    """
    from dataclasses import replace

    from quorate.cli.paper import interrupts
    from quorate.core.configuration import load_settings
    from quorate.core.errors import MissingExtraError

    try:
        from quorate.serving import Service
        from quorate.serving import serve as run
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "start the service", found=str(error), remedy="Install it with: pip install 'quorate[serve]'."
        ) from error
    interrupts.log_to_stderr()
    settings = load_settings()
    own = settings.serve
    own = replace(own, host=own.host if host is None else host, port=own.port if port is None else port)
    run(
        Service(
            bundle,
            data,
            symbols,
            timeframe=timeframe,
            policy=policy,
            allow_training_span=allow_training_span,
            settings=replace(settings, serve=own),
        )
    )
