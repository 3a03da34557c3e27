"""Options that the commands of `quorate paper` share."""

from __future__ import annotations

from typing import Annotated

import typer

from quorate.cli import options

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
