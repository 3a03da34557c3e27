"""`quorate backtest`: a bundle's decisions traded in the simulated account."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quorate.cli import options
from quorate.core.errors import ArgumentError
from quorate.core.text.plural import counted


def backtest(
    bundle: options.BundlePath,
    data: options.Data,
    start: options.Start = None,
    end: options.End = None,
    symbols: Annotated[
        str | None,
        typer.Option("--symbols", metavar="A,B", help=f"{options.SYMBOLS} [default: all of the bundle's kind]"),
    ] = None,
    policy: options.Policy = None,
    allow_training_span: options.AllowTrainingSpan = False,
    guards: Annotated[
        bool, typer.Option("--guards/--no-guards", help=f"{options.GUARDS}; no guard is re-armed by a person.")
    ] = False,
    report: Annotated[Path | None, typer.Option("--report", metavar="FILE", help="HTML report to write.")] = None,
    trades: options.Trades = None,
    full: options.Full = False,
    as_json: options.Json = False,
) -> None:
    """Backtest the decisions of a bundle on later candles.

    The simulated account has fees, slippage, funding, stops, targets and time exits. One screen ends with the verdict:
    what happened, beside holding and random entries, or why nothing was traded. The run is recorded in the trial log.
    """
    from quorate.cli import output
    from quorate.cli.render.book.target_weights import show_backtest
    from quorate.cli.render.evaluation import show_account
    from quorate.workflows.backtest import backtest as run
    from quorate.workflows.book.backtest import backtest_book
    from quorate.workflows.book.kinds import is_book
    from quorate.workflows.runs.trials import RunRecord

    if is_book(bundle):
        unused = {"policy": policy, "guards": guards, "report": report}
        given = [name for name, value in unused.items() if value]
        if given:
            raise ArgumentError("backtest a book", found=f"`{given[0]}`", expected="a span and `symbols` alone")
        with output.progress() as progress:
            book = backtest_book(
                bundle,
                data,
                allow_training_span=allow_training_span,
                record=RunRecord(options.command_line()),
                progress=progress,
                symbols=symbols,
                start=start,
                end=end,
            )
        output.print_json(book.to_json()) if as_json else show_backtest(book, full=full)
        if trades is not None:
            output.note(f"{counted(len(book.result.trades), 'trade')} written to {book.write_trades(trades)}")
        return
    with output.progress() as progress:
        result = run(
            bundle,
            data,
            policy=policy,
            allow_training_span=allow_training_span,
            guards=guards,
            record=RunRecord(options.command_line()),
            progress=progress,
            symbols=symbols,
            start=start,
            end=end,
        )
    output.print_json(result.to_json()) if as_json else show_account(result, full=full)
    if report is not None:
        with output.progress() as progress:
            output.note(f"report written to {result.report(report, progress=progress)}")
    if trades is not None:
        output.note(f"{counted(len(result.result.trades), 'trade')} written to {result.write_trades(trades)}")
