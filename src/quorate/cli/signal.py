"""`quorate signal`: the decision at the newest closed bar."""

from __future__ import annotations

from typing import Annotated

import typer

from quorate.cli import options


def signal(
    symbols: Annotated[list[str], typer.Argument(metavar="SYMBOL", help="Markets, such as BTC/USDT:USDT.")],
    bundle: options.BundlePath,
    data: options.Data,
    timeframe: Annotated[
        str | None,
        typer.Option("--timeframe", metavar="LENGTH", help=f"{options.TIMEFRAME} [default: the bundle's]"),
    ] = None,
    policy: options.Policy = None,
    allow_training_span: options.AllowTrainingSpan = False,
    panel: Annotated[
        bool, typer.Option("--panel", help="Ask the panel of language models about BUY and SELL; this may cost money.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Predict the newest closed bar of each market.

    Each decision is printed with the votes, the abstentions and the probabilities that it rests on. With --panel,
    replies are recorded, and bars that the panel was asked about before cost nothing.
    """
    from quorate.cli import output
    from quorate.cli.render.signals import show
    from quorate.workflows.signals import signals

    result = signals(
        bundle,
        data,
        symbols,
        timeframe=timeframe,
        policy=policy,
        allow_training_span=allow_training_span,
        panel=panel,
    )
    output.print_json(result.to_json()) if as_json else show(result)
