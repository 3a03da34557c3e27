"""`quorate paper run`: a session on live or replayed candles."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from quorate.cli import options
from quorate.cli.paper.account_options import (
    Account,
    Full,
    Guards,
    LiveExchange,
    Replay,
    Speed,
    StoredData,
    Url,
    require_replay,
)
from quorate.core.errors import ArgumentError

if TYPE_CHECKING:
    from quorate.workflows.paper import PaperStatus


def run(
    bundle: options.BundlePath,
    data: StoredData = None,
    exchange: LiveExchange = None,
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
            help=f"{options.SYMBOLS} [default: those of the training; with --replay: all of its kind]",
        ),
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(
            "--top",
            min=1,
            metavar="N",
            help="Top N perpetuals by quote volume before now; with --replay before --from.",
        ),
    ] = None,
    replay: Replay = False,
    start: options.Start = None,
    end: options.End = None,
    speed: Speed = None,
    account: Account = None,
    journal: Url = None,
    guards: Guards = True,
    bench: Annotated[
        bool,
        typer.Option(
            "--bench",
            help="Bench members as they would have been: they are scored on the bars of --data first. With --replay.",
        ),
    ] = False,
    policy: options.Policy = None,
    allow_training_span: options.AllowTrainingSpan = False,
    verbose: Annotated[
        bool | None,
        typer.Option(
            "--verbose/--quiet", "-v/-q", help="Log HOLD decisions too, or not. [default: only with live candles]"
        ),
    ] = None,
    full: Full = False,
    as_json: options.Json = False,
) -> None:
    """Run an account, from where its journal ends.

    On live candles with --exchange, or on stored ones with --replay and --data, which alone take --from, --to and
    --speed. Ctrl-C ends it after the current step; a second Ctrl-C ends it at once.
    """
    require_replay("run the paper session", replay, data)
    if bench and data is None:
        raise ArgumentError(
            "run the paper session",
            found="`bench=True` with live candles",
            expected="it only with `data`: live, the bench that `quorate bench check` wrote is used",
        )
    from quorate.cli import output
    from quorate.cli.paper import interrupts
    from quorate.workflows.paper import PaperAccount
    from quorate.workflows.paper.replay import REPLAYING

    interrupts.log_to_stderr()
    with ExitStack() as stack, ExitStack() as bars:
        progress = bars.enter_context(output.progress())

        def show(stage: str, done: int, total: int) -> None:
            if stage != REPLAYING or sys.stderr.isatty():
                progress(stage, done, total)

        bench_of = None
        if bench and data is not None:
            from quorate.lifecycle.bench import bench_history

            bench_of = bench_history(bundle, data, symbols=symbols, until=end, progress=progress)
        session = stack.enter_context(
            PaperAccount(account, journal).session(
                bundle,
                data,
                exchange=exchange,
                listener=interrupts.log_records(quiet=replay if verbose is None else not verbose),
                progress=show,
                symbols=symbols,
                top=top,
                timeframe=timeframe,
                start=start,
                end=end,
                speed=speed,
                guards=guards,
                bench=bench_of,
                policy=policy,
                allow_training_span=allow_training_span,
            )
        )
        if not replay:  # a live session has no end to show progress towards
            bars.close()
        with interrupts.until_interrupted(session.stop):
            status = session.run()
    _show(status, full=full, as_json=as_json)


def _show(status: PaperStatus, *, full: bool, as_json: bool) -> None:
    from quorate.cli import output
    from quorate.cli.render import paper as tables

    if as_json:
        output.print_json(status.to_json())
    else:
        output.console().print(tables.render(status.to_json(), full=full, just_ran=True))
