"""Options that several verbs share, each written once, and the command line as it was typed."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from quorate.core.clock import parse_ms
from quorate.core.errors import QuorateError


def _date(text: str) -> int:
    try:
        return parse_ms(text)
    except QuorateError as error:
        raise typer.BadParameter(str(error)) from error


Data = Annotated[Path, typer.Option("--data", help="A Freqtrade data folder, such as user_data/data/binance.")]
Timeframe = Annotated[str, typer.Option("--timeframe", help="Length of a bar: 5m, 1h, 4h, 1d ...")]
BundlePath = Annotated[
    Path, typer.Option("--bundle", help="A bundle, a series, or a folder of bundles for its champion.")
]
Bundles = Annotated[Path, typer.Option("--bundles", help="The folder of bundles, as `quorate train --out` filled it.")]
Start = Annotated[int | None, typer.Option("--from", parser=_date, metavar="DATE", help="First bar, inclusive (UTC).")]
End = Annotated[int | None, typer.Option("--to", parser=_date, metavar="DATE", help="End, exclusive (UTC).")]
Symbols = Annotated[
    str | None, typer.Option("--symbols", metavar="A,B", help="Markets, as BTC/USDT:USDT,ETH/USDT:USDT.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
AllowTrainingSpan = Annotated[
    bool, typer.Option("--allow-training-span", help="Also use bars the bundle was trained on; the result is marked.")
]
Policy = Annotated[
    Literal["classic", "calibrated"] | None,
    typer.Option("--policy", help="Decide by this policy instead of the one that later rows chose."),
]
Report = Annotated[
    Path | None,
    typer.Option("--report", help="Write the self-contained HTML page here; else into reports/, and none with --json."),
]


def split_symbols(text: str | None) -> tuple[str, ...]:
    """The symbols of a comma-separated list, each once, in order."""
    return tuple(dict.fromkeys(part.strip() for part in (text or "").split(",") if part.strip()))


def command_line() -> str:
    """The command to be repeated, for the provenance of figures; a program of its own is named as it was started."""
    program = Path(sys.argv[0]).name if sys.argv and sys.argv[0] not in ("", "-c") else "quorate"
    return shlex.join([program, *sys.argv[1:]])
