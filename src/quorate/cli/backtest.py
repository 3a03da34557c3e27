"""`quorate backtest`: a bundle's decisions traded in the simulated account."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quorate.cli import options
from quorate.core.errors import ArgumentError
from quorate.core.text.plural import counted

if TYPE_CHECKING:
    from quorate.workflows.inputs.selection import Selection as Selected


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
    from quorate.cli.render.evaluation import show_account
    from quorate.workflows.backtest import backtest as run
    from quorate.workflows.book.kinds import is_book
    from quorate.workflows.inputs.selection import Selection
    from quorate.workflows.runs.trials import RunRecord

    if is_book(bundle):
        unused = {"policy": policy, "guards": guards}
        _backtest_book(
            bundle,
            data,
            [name for name, value in unused.items() if value],
            Selection(symbols=symbols, start=start, end=end),
            report,
            trades,
            allow_training_span=allow_training_span,
            full=full,
            as_json=as_json,
        )
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


def _backtest_book(
    bundle: Path,
    data: Path,
    unused: Sequence[str],
    selection: Selected,
    report: Path | None,
    trades: Path | None,
    *,
    allow_training_span: bool,
    full: bool,
    as_json: bool,
) -> None:
    """Trade a book; options of other bundles are refused."""
    from quorate.cli import output
    from quorate.cli.render.book.target_weights import show_backtest
    from quorate.workflows.book.backtest import backtest_book
    from quorate.workflows.runs.trials import RunRecord

    if unused:
        raise ArgumentError("backtest a book", found=f"`{unused[0]}`", expected="a span and `symbols` alone")
    with output.progress() as progress:
        result = backtest_book(
            bundle,
            data,
            allow_training_span=allow_training_span,
            record=RunRecord(options.command_line()),
            progress=progress,
            **selection,
        )
    output.print_json(result.to_json()) if as_json else show_backtest(result, full=full)
    if report is not None:
        with output.progress() as progress:
            output.note(f"report written to {result.report(report, progress=progress)}")
    if trades is not None:
        output.note(f"{counted(len(result.result.trades), 'trade')} written to {result.write_trades(trades)}")
