"""`quorate explain`: what each group of features contributed to a decision."""

from __future__ import annotations

from typing import Annotated

import typer

from quorate.cli import options


def explain(
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="Market, such as BTC/USDT:USDT.")],
    bundle: options.BundlePath,
    data: options.Data,
    at: Annotated[
        int | None,
        typer.Option(
            "--at",
            parser=options.date,
            metavar="DATE",
            help="Explain the newest bar that had opened by then, in UTC. [default: the newest closed bar]",
        ),
    ] = None,
    since: Annotated[
        int | None,
        typer.Option(
            "--since",
            parser=options.date,
            metavar="DATE",
            help="Explain what changed since the newest bar that had opened by then. "
            "[default: compare with earlier bars]",
        ),
    ] = None,
    policy: options.Policy = None,
    allow_training_span: options.AllowTrainingSpan = False,
    as_json: options.Json = False,
) -> None:
    """Explain the decision at a bar of a market.

    Prints what each group of features contributes to the score of every member and of the ensemble, and the columns
    that contribute most to the boosted trees. Contributions add up to the difference between the score and its mean
    over earlier bars, or its value at the bar of --since.
    """
    from quorate.cli import output
    from quorate.cli.render.explanation import show
    from quorate.lifecycle.explain.explain_market import explain as explain_market

    result = explain_market(
        bundle, data, symbol, at=at, since=since, policy=policy, allow_training_span=allow_training_span
    )
    output.print_json(result.to_json()) if as_json else show(result)
