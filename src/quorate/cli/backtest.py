"""`quorate backtest`: a bundle's decisions traded in the simulated account."""

from __future__ import annotations

from typing import Annotated

import typer

from quorate.cli import options


def backtest(
    bundle: options.BundlePath,
    data: options.Data,
    start: options.Start = None,
    end: options.End = None,
    symbols: options.Symbols = None,
    policy: options.Policy = None,
    allow_training_span: options.AllowTrainingSpan = False,
    guards: Annotated[
        bool, typer.Option("--guards/--no-guards", help="Guards and ladder, as in paper trading; nobody re-arms them.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Trade a frozen bundle on later candles: fees, slippage, funding, stops, targets, time exits."""
    from quorate.cli import output
    from quorate.cli.options import command_line
    from quorate.workflows.backtest import backtest as run
    from quorate.workflows.trials import RunRecord

    with output.progress() as progress:
        result = run(
            bundle,
            data,
            policy=policy,
            allow_training_span=allow_training_span,
            guards=guards,
            record=RunRecord(command_line()),
            progress=progress,
            symbols=symbols,
            start=start,
            end=end,
        )
    if as_json:
        output.print_json(result.to_json())
        return
    from quorate.cli.render.evaluation import show_account

    show_account(result.to_json())
