"""`quorate demo`: from candles to a report, on a synthetic market."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quorate.cli import options


def demo(
    out: Annotated[
        Path, typer.Option("--out", metavar="FOLDER", help="Folder for the candles, the bundle and the report.")
    ] = Path("demo"),
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Seed of the synthetic market.")] = 7,
    edge: Annotated[
        float,
        typer.Option(
            "--edge",
            min=0.0,
            max=0.6,
            metavar="SHARE",
            help="Predictable share of the variance of returns; 0 is a random walk.",
        ),
    ] = 0.05,  # DEFAULT_EDGE; the workflow is imported only where the command runs
    as_json: options.Json = False,
) -> None:
    """Train and evaluate on a synthetic market.

    Generates candles, trains the members, predicts the newest bar, evaluates and backtests later bars, and writes an
    HTML report. Needs no data and no network.
    """
    from quorate.cli import output
    from quorate.cli.render.demo import show
    from quorate.cli.render.training import note_cards
    from quorate.workflows.demo import demo as run

    with output.progress() as progress:
        result = run(out, seed=seed, edge=edge, command=options.command_line(), progress=progress)
    note_cards([result.trained])
    output.print_json(result.to_json()) if as_json else show(result)
