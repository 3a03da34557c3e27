"""Options that the commands of `quorate paper` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quorate.cli import options
from quorate.core.errors import ArgumentError

Account = Annotated[
    str | None,
    typer.Option(
        "--account", metavar="NAME", help="Name of the account in the journal. [default: setting paper.account]"
    ),
]
Url = Annotated[
    str | None,
    typer.Option(
        "--journal",
        metavar="URL",
        help="Database of the journal: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME. "
        "[default: setting journal.url]",
    ),
]
Who = Annotated[str | None, typer.Option("--who", metavar="NAME", help=f"{options.WHO} [default: your login name]")]
Note = Annotated[str, typer.Option("--note", metavar="TEXT", help="Reason, for the record.")]
StoredData = Annotated[
    Path | None, typer.Option("--data", metavar="FOLDER", help=f"{options.DATA} Only with --replay.")
]
LiveExchange = Annotated[
    str | None,
    typer.Option(
        "--exchange", metavar="NAME", help="ccxt's name of the exchange of the live candles, such as binanceusdm."
    ),
]
Replay = Annotated[bool, typer.Option("--replay", help="Replay the stored candles of --data.")]
Speed = Annotated[
    float | None,
    typer.Option("--speed", min=1e-3, metavar="N", help="Bars a second of a replay. [default: as fast as possible]"),
]
Full = Annotated[bool, typer.Option("--full", help="Also guards, ladder, decisions, criteria and notices.")]
Guards = Annotated[bool, typer.Option("--guards/--no-guards", help=f"{options.GUARDS}.")]


def require_replay(attempted: str, replay: bool, data: Path | None) -> None:
    """Require stored candles for a replay, and for nothing else.

    Args:
        attempted: for the error.
        replay: whether one is asked for.
        data: folder of stored candles.

    Raises:
        ArgumentError: one without the other.
    """
    if replay != (data is not None):
        raise ArgumentError(
            attempted,
            found="`replay=True` without `data`" if replay else "`data` without `replay=True`",
            expected="`replay=True` with `data`, or `exchange` for live candles",
        )
