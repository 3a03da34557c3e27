"""`quorate signal`: the decision at the newest closed bar."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from quorate.cli import options
from quorate.core.errors import ArgumentError


def signal(
    bundle: options.BundlePath,
    data: options.Data,
    symbols: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SYMBOL]...", help="Markets, such as BTC/USDT:USDT. [default: the bundle's]"),
    ] = None,
    all_markets: Annotated[
        bool, typer.Option("--all", help="All markets of the data of the bundle's kind, perpetuals or spot.")
    ] = False,
    timeframe: Annotated[
        str | None,
        typer.Option("--timeframe", metavar="LENGTH", help=f"{options.TIMEFRAME} [default: the bundle's]"),
    ] = None,
    policy: options.Policy = None,
    allow_training_span: options.AllowTrainingSpan = False,
    panel: Annotated[
        bool, typer.Option("--panel", help="Ask the panel of language models about BUY and SELL; this may cost money.")
    ] = False,
    shard: Annotated[
        str,
        typer.Option(
            "--shard", metavar="K/N", help="Only the markets of the Kth of N parts, by a hash of their names."
        ),
    ] = "1/1",
    processes: Annotated[
        int,
        typer.Option(
            "--processes", min=1, metavar="N", help="Processes that predict side by side. The bundle is loaded in each."
        ),
    ] = 1,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Also print what did not decide: raw scores, or calibrated probabilities."),
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Predict the newest closed bar of each market.

    Each decision is printed with what decided it: the votes, or the calibrated probabilities. A market whose candles
    cannot be read is named, the others are predicted, and the exit code is 1. `quorate explain` says what moved the
    scores. With --panel, replies are recorded, and bars that the panel was asked about before cost nothing. Of a book,
    the target weights are printed, the orders towards them, and with --explain each sleeve's part.

    Of thousands of markets, --processes divides the work on one machine, and --shard divides it over several: each run
    has the markets whose names' hash is its part. A process that is killed is named and begun again once.
    """
    from quorate.cli import output
    from quorate.cli.render.signals import show
    from quorate.workflows.book.kinds import is_book
    from quorate.workflows.signals import signals

    if is_book(bundle):
        if (shard, processes) != ("1/1", 1):
            raise ArgumentError(
                "decide the weights of a book",
                found="`shard` or `processes`",
                expected="neither: a book decides all at once",
            )
        _show_book(bundle, data, symbols or (), explain=explain, as_json=as_json)
        return
    result = signals(
        bundle,
        data,
        symbols,
        all_markets=all_markets,
        timeframe=timeframe,
        policy=policy,
        allow_training_span=allow_training_span,
        panel=panel,
        shard=shard,
        processes=processes,
    )
    output.print_json(result.to_json()) if as_json else show(result, explain=explain)
    for error in result.left_out.values():
        output.note(f"error: {error}")
    if result.left_out:
        raise typer.Exit(1)


def _show_book(bundle: Path, data: Path, symbols: Sequence[str], *, explain: bool, as_json: bool) -> None:
    """Print the target weights of a book."""
    from quorate.cli import output
    from quorate.cli.render.book.target_weights import show_target
    from quorate.workflows.book.signal import target_book

    if symbols:
        raise ArgumentError("decide the weights of a book", found="SYMBOL", expected="none: a book decides all at once")
    with output.progress() as progress:
        result = target_book(bundle, data, progress=progress)
    output.print_json(result.to_json()) if as_json else show_target(result, explain=explain)
