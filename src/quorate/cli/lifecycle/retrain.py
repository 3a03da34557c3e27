"""`quorate retrain`: now, on schedule, or what it did."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quorate.cli import options
from quorate.core.errors import ArgumentError

_FOLDER = Path("bundles")


def retrain(
    bundles: options.Bundles = _FOLDER,
    data: Annotated[Path | None, typer.Option("--data", metavar="FOLDER", help=options.DATA)] = None,
    exchange: Annotated[
        str | None,
        typer.Option(
            "--exchange",
            metavar="NAME",
            help="Download the newest candles into --data first, by ccxt's name, such as binanceusdm.",
        ),
    ] = None,
    end: options.End = None,
    now: Annotated[bool, typer.Option("--now", help="Retrain once now, instead of waiting for the schedule.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Show the runs so far and the next one.")] = False,
    as_json: options.Json = False,
) -> None:
    """Retrain the champion on the newest candles, and promote the new bundle if it is not worse.

    Without --now it waits for the schedule of the setting retrain.cron, weekly by default, and catches up one run after
    a downtime. Ctrl-C ends it; a run at work continues with the next one.
    """
    from quorate.cli import output
    from quorate.core.configuration import load_settings
    from quorate.lifecycle.retrain import RetrainScheduler, retraining_status
    from quorate.lifecycle.retrain import retrain as retrain_now

    settings = load_settings()
    if status:
        if now:
            raise ArgumentError("show the runs", found="`now=True`", expected="`status=True` alone")
        found = retraining_status(bundles, settings=settings)
        output.print_result(found, as_json=as_json)
        if found.next_line and not as_json:
            output.print_line(found.next_line)
        return
    if data is None:
        raise ArgumentError("retrain", found="no `data`", expected="`data`, or `status=True`")
    if now:
        with output.progress() as progress:
            result = retrain_now(bundles, data, exchange=exchange, end=end, settings=settings, progress=progress)
        output.print_json(result.to_json()) if as_json else output.print_line(str(result))
        return
    if end is not None or as_json:
        given = "`end`" if end is not None else "`as_json=True`"
        raise ArgumentError("wait for the schedule", found=given, expected="`now=True` with it, or neither")
    from quorate.cli.paper import interrupts

    interrupts.log_to_stderr()
    scheduler = RetrainScheduler(bundles, data, exchange=exchange, settings=settings)
    with interrupts.until_interrupted(scheduler.stop):
        scheduler.follow(output.print_line)
