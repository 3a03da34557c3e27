"""`quorate mcp`: read-only tools for an assistant."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quorate.cli import options
from quorate.cli.paper import account_options

_FOLDER = Path("bundles")


def mcp(
    bundles: options.Bundles = _FOLDER,
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="FOLDER", help=f"{options.DATA} Without it there are no signals."),
    ] = None,
    evaluations: Annotated[
        list[Path] | None,
        typer.Option(
            "--evaluation",
            metavar="FILE",
            help="Document of `quorate evaluate --json`; may be repeated, oldest first.",
        ),
    ] = None,
    account: account_options.Account = None,
    journal: account_options.Url = None,
) -> None:
    """Offer signals, evaluations, journal, status and bundles to an assistant.

    Speaks the Model Context Protocol on standard input and output; an assistant starts it. The tools only read, and
    only what is named here.
    """
    import signal

    from quorate.integrations.mcp import AssistantSources, serve

    # The thread that waits for a question cannot be woken, and nothing is written that would have to be finished.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    serve(AssistantSources(bundles, data, tuple(evaluations or ()), account, journal))
