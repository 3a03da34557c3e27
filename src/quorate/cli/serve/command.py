"""`quorate serve`: signals, bundles and health over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quorate.cli import options
from quorate.cli.paper.account_options import Account, Url
from quorate.cli.serve.service_token import show_first_token
from quorate.core.errors import ArgumentError, MissingExtraError

if TYPE_CHECKING:
    from quorate.workflows.paper import PaperOptions


def serve(
    bundle: Annotated[Path | None, typer.Option("--bundle", metavar="PATH", help=options.BUNDLE)] = None,
    data: Annotated[Path | None, typer.Option("--data", metavar="FOLDER", help=options.DATA)] = None,
    exchange: Annotated[
        str | None,
        typer.Option(
            "--exchange",
            metavar="NAME",
            help="Instead of --data: live candles of this exchange, by ccxt's name, such as binanceusdm.",
        ),
    ] = None,
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
        typer.Option(
            "--symbols",
            metavar="A,B",
            help=f"{options.SYMBOLS} [default: all of the bundle's kind; of an exchange those of the training]",
        ),
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
    shard: Annotated[
        str | None,
        typer.Option(
            "--shard",
            metavar="K/N",
            help="Of N services, answer for the markets of the Kth part only. [default: setting serve.shard]",
        ),
    ] = None,
    policy: options.Policy = None,
    allow_training_span: options.AllowTrainingSpan = False,
    account: Account = None,
    journal: Url = None,
    paper: Annotated[
        bool,
        typer.Option("--paper", help="Run the account in this process: on the live candles, or a replay of --data."),
    ] = False,
    start: options.Start = None,
    end: options.End = None,
    speed: Annotated[
        float | None, typer.Option("--speed", metavar="N", help="With --paper or --demo: bars a second of a replay.")
    ] = None,
    demo: Annotated[
        bool,
        typer.Option("--demo", help="Instead of a bundle: the market of `quorate demo`, replayed bar by bar."),
    ] = False,
) -> None:
    """Serve signals over HTTP, with a champion that can be replaced while requests are answered.

    The paper account --account of --journal is shown, whether it runs elsewhere or with --paper in this process.

    The champion of a folder of bundles is followed: a promotion is in use within a second. Ctrl-C ends it after the
    requests in progress.

    With --shard, N services divide the markets by a hash of their names; a market of another one is answered 421 with
    the number of its shard. An account of --paper trades all markets of --symbols whatever the shard: one of the
    services runs it.

    With --demo, all is in the folder demo, which is made first where there is none.
    """
    from dataclasses import replace

    from quorate.cli.paper import interrupts
    from quorate.core.configuration import load_settings
    from quorate.core.types.shards import Shard
    from quorate.workflows.paper import PaperAccount

    try:
        from quorate.serving import Service, SessionSource
        from quorate.serving import serve as run
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "start the service", found=str(error), remedy="Install it with: pip install 'quorate[serve]'."
        ) from error
    interrupts.log_to_stderr()
    settings = load_settings()
    own = settings.serve
    own = replace(
        own,
        host=own.host if host is None else host,
        port=own.port if port is None else port,
        shard=own.shard if shard is None else str(Shard.parse(shard)),
    )
    settings = replace(settings, serve=own)
    if demo:
        from quorate.cli.serve.demo import demo_service

        _require_none("serve the demo", bundle=bundle, data=data, exchange=exchange, symbols=symbols, account=account)
        service = demo_service(settings, speed)
        show_first_token(settings.access)
        run(service)
        return
    if bundle is None:
        raise ArgumentError("start the service", found="no bundle", expected="`bundle`, or `demo=True`")
    if not paper:
        _require_none("serve without `paper=True`", start=start, end=end, speed=speed)
    selection: PaperOptions = {
        "symbols": symbols,
        "start": start,
        "end": end,
        "speed": speed,
        "policy": policy,
        "allow_training_span": allow_training_span,
    }
    service = Service(
        bundle,
        data,
        symbols,
        exchange=exchange,
        timeframe=timeframe,
        policy=policy,
        allow_training_span=allow_training_span,
        account=PaperAccount(account, journal, settings=settings),
        session=SessionSource(data, exchange, selection) if paper else None,
        settings=settings,
    )
    show_first_token(settings.access)
    run(service)


def _require_none(attempted: str, **options: object) -> None:
    """Refuse options that have no meaning here."""
    given = [f"`{name}`" for name, value in options.items() if value is not None]
    if given:
        raise ArgumentError(attempted, found=", ".join(given), expected="none of them")
