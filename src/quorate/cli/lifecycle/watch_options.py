"""Options of the commands that watch a bundle."""

from __future__ import annotations

from typing import Annotated

import typer

from quorate.cli import options

Symbols = Annotated[
    str | None, typer.Option("--symbols", metavar="A,B", help=f"{options.SYMBOLS} [default: those of the training]")
]
Until = Annotated[
    int | None,
    typer.Option(
        "--until",
        parser=options.date,
        metavar="DATE",
        help="End of the newest bar: YYYY-MM-DD or YYYY-MM-DDTHH:MM, in UTC. [default: of the newest closed bar]",
    ),
]
