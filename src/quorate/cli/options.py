"""Options that several verbs share, each written once, and the command line as it was typed."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from quorate.core.clock import parse_ms
from quorate.core.errors import QuorateError
from quorate.core.redaction import redact

if TYPE_CHECKING:
    from quorate.core.sections.engine import EngineName
    from quorate.core.settings import Settings


def date(text: str) -> int:
    try:
        return parse_ms(text)
    except QuorateError as error:
        raise typer.BadParameter(f"{error.found} is not a date; expected {error.expected}") from error


# Texts of options that are required by one verb and optional in another.
DATA = "Freqtrade data folder, such as user_data/data/binance."
TIMEFRAME = "Length of a bar, such as 5m, 1h, 4h or 1d."
SYMBOLS = "Markets separated by commas, such as BTC/USDT:USDT,ETH/USDT:USDT."
TOP = "Top N perpetuals by quote volume before --from."
BUNDLE = "Bundle, series, or folder of bundles, whose champion is used."
MODELS = "Members separated by commas, in order."
FEATURES = "Feature set, or auto: columns are chosen on training rows."
GUARDS = "Apply guards and ladder"
WHO = "Who decides, for the record."

Data = Annotated[Path, typer.Option("--data", metavar="FOLDER", help=DATA)]
Timeframe = Annotated[str | None, typer.Option("--timeframe", metavar="LENGTH", help=f"{TIMEFRAME} [default: 1h]")]
BundlePath = Annotated[Path, typer.Option("--bundle", metavar="PATH", help=BUNDLE)]
Bundles = Annotated[
    Path, typer.Option("--bundles", metavar="FOLDER", help="Folder of bundles, as `quorate train --out` writes it.")
]
Start = Annotated[
    int | None,
    typer.Option(
        "--from",
        parser=date,
        metavar="DATE",
        help="Start of the span, inclusive: YYYY-MM-DD or YYYY-MM-DDTHH:MM, in UTC. [default: the first bar; of a run "
        "with a bundle, the first after its training]",
    ),
]
End = Annotated[
    int | None,
    typer.Option(
        "--to",
        parser=date,
        metavar="DATE",
        help="End of the span, exclusive: YYYY-MM-DD or YYYY-MM-DDTHH:MM, in UTC. [default: the newest closed bar]",
    ),
]
Symbols = Annotated[str | None, typer.Option("--symbols", metavar="A,B", help=SYMBOLS)]
Top = Annotated[int | None, typer.Option("--top", min=1, metavar="N", help=TOP)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document to standard output.")]
Full = Annotated[bool, typer.Option("--full", help="Print all tables before the summary.")]
Trades = Annotated[
    Path | None,
    typer.Option("--trades", metavar="FILE", help="CSV file to write each trade to, with the vote that decided it."),
]
AllowTrainingSpan = Annotated[
    bool,
    typer.Option("--allow-training-span", help="Allow bars that the bundle was trained on; the result is marked."),
]
Policy = Annotated[
    Literal["classic", "calibrated", "consensus", "closed"] | None,
    typer.Option("--policy", help="Policy that decides. [default: the one selected on rows held out from training]"),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]
Features = Annotated[
    str | None,
    typer.Option("--features", metavar="SET", help=f"{FEATURES} [default: setting train.features, or stack.features]"),
]
Guard = Annotated[str, typer.Argument(metavar="GUARD", help="losses, drawdown or confidence.")]


Engine = Annotated[
    Literal["local", "dask", "ray"] | None,
    typer.Option(
        "--engine",
        help="Where jobs run: processes of this machine, or a cluster at the setting engine.address. [default: setting "
        "engine.name]",
    ),
]


def settings_with(engine: EngineName | None) -> Settings | None:
    """The settings with another engine; None, for the settings as they are, where none is chosen."""
    if engine is None:
        return None
    from quorate.core.configuration import load_settings

    settings = load_settings()
    return replace(settings, engine=replace(settings.engine, name=engine))


def command_line() -> str:
    """The command to be repeated, for the provenance of figures; a program of its own is named as it was started."""
    program = Path(sys.argv[0]).name if sys.argv and sys.argv[0] not in ("", "-c") else "quorate"
    return redact(shlex.join([program, *sys.argv[1:]]))
