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
    from quorate.cli.record import open_ledger, record
    from quorate.cli.run import run
    from quorate.core.configuration import load_settings
    from quorate.ensemble.series import load
    from quorate.evaluation.criteria import criteria
    from quorate.evaluation.metrics.decisions import decision_figures
    from quorate.evaluation.metrics.trades import trade_figures
    from quorate.market import FreqtradeFolder
    from quorate.trading.account.contracts import read_contracts

    settings = load_settings()
    ledger = open_ledger(settings)
    loaded = load(bundle, settings.predict, policy)
    source, wanted = FreqtradeFolder(data), options.split_symbols(symbols)
    with output.progress() as tell:
        ran = run(
            *(loaded, source, wanted, start, end, settings, tell),
            allow_training_span=allow_training_span,
            guards=guards,
            contracts=read_contracts(data),
        )
    stats = trade_figures(ran.result, settings.evaluation)
    promised = criteria(decision_figures(ran.frames.values(), settings.evaluation), stats, settings.criteria)
    recorded = record([ran.candidate], ran.venue, ran.chosen, ran.in_force, ledger, verb="backtest", data=str(data))
    document = {
        **ran.header,
        "guards": guards,
        **ran.result.to_json(),
        "stats": stats,
        "criteria": promised,
        **recorded,
    }
    if as_json:
        output.print_json(document)
    else:
        from quorate.cli.scoreboard import show_account

        show_account(document, stats)
