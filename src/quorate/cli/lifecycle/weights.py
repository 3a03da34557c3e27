"""`quorate weights`: weights of the members, and whether fitted ones beat the documented ones out of fold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quorate.cli import options
from quorate.cli.paper.account_options import Url
from quorate.core.errors import ArgumentError


def weights(
    predictions: Annotated[
        Path | None,
        typer.Option("--predictions", metavar="FILE", help="Scores of `quorate evaluate --predictions FILE`."),
    ] = None,
    account: Annotated[
        str | None, typer.Option("--account", metavar="NAME", help="Instead: outcomes of this paper account.")
    ] = None,
    journal: Url = None,
    bundle: Annotated[
        Path | None, typer.Option("--bundle", metavar="PATH", help=f"{options.BUNDLE} Of the account.")
    ] = None,
    data: Annotated[Path | None, typer.Option("--data", metavar="FOLDER", help=options.DATA)] = None,
    exchange: Annotated[
        str | None,
        typer.Option("--exchange", metavar="NAME", help="Instead: candles of this exchange, as ccxt names it."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="HTML report to write, with the gate's plots.")
    ] = None,
    snippet: Annotated[
        Path | None,
        typer.Option(
            "--settings", metavar="FILE", help="File to write the weights to, as settings, where they are kept."
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Fit weights of the members, and keep them only where they win out of fold.

    Weights are fitted by convex optimisation, by evolution, and by a gate on the market's regime. For each fold they
    are fitted on earlier folds alone, and compared with equal and documented weights. Kept ones are written as
    settings, which the next training puts into its bundle. Every tried configuration is recorded in the trial log.
    """
    from quorate.cli import output
    from quorate.cli.render.weights import show
    from quorate.lifecycle.weights.search import weights_from_account, weights_from_file
    from quorate.workflows.runs.trials import RunRecord

    of_account = {"account": account, "journal": journal, "bundle": bundle, "data": data, "exchange": exchange}
    given = [f"`{name}`" for name, value in of_account.items() if value is not None]
    record = RunRecord(options.command_line())
    with output.progress() as progress:
        if predictions is not None and not given:
            found = weights_from_file(predictions, record=record, progress=progress)
        elif predictions is None and bundle is not None:
            found = weights_from_account(
                bundle, account, journal, data=data, exchange=exchange, record=record, progress=progress
            )
        else:
            raise ArgumentError(
                "search for weights",
                found=f"`predictions` and {', '.join(given)}" if predictions is not None else "no `bundle`",
                expected="`predictions` alone, or `bundle` with what names an account and its candles",
            )
    output.print_json(dict(found.document)) if as_json else show(found)
    if report is not None:
        from quorate.lifecycle.weights.report import write_weight_report

        write_weight_report(report, found)
        output.note(f"report written to {report}")
    if snippet is not None:
        written = found.write_snippet(snippet)
        output.note(f"settings written to {snippet}" if written else "no settings are written: no weights are kept")
    output.note(f"{found.document['provenance']['trials']} trials recorded in {found.document['provenance']['ledger']}")
