"""`quorate train`: a bundle, or with --rolling a series of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from quorate.cli import options
from quorate.core.clock import format_ms
from quorate.core.errors import ArgumentError

if TYPE_CHECKING:
    from quorate.workflows.inputs.selection import Selection


def train(
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Folder of bundles; created if missing.")],
    data: Annotated[Path | None, typer.Option("--data", metavar="FOLDER", help=options.DATA)] = None,
    timeframe: options.Timeframe = None,
    symbols: options.Symbols = None,
    top: options.Top = None,
    freqtrade_config: Annotated[
        list[Path] | None,
        typer.Option(
            "--freqtrade-config",
            metavar="FILE",
            help="Freqtrade configuration to take markets, timeframe and data folder from; may be repeated, as "
            "Freqtrade's -c.",
        ),
    ] = None,
    start: options.Start = None,
    end: options.End = None,
    every: Annotated[
        str | None,
        typer.Option("--rolling", metavar="PERIOD", help="Train a series, one bundle every PERIOD, such as 30d or 4w."),
    ] = None,
    window: Annotated[
        str | None,
        typer.Option(
            "--window",
            metavar="LENGTH",
            help="Training span of each bundle of a series, such as 180d. [default: setting series.window_days]",
        ),
    ] = None,
    recipe: Annotated[
        Literal["vote", "stack", "book"],
        typer.Option(
            "--recipe",
            help="vote: members score classes and vote; stack: members predict returns; book: daily weights of many "
            "perpetuals.",
        ),
    ] = "vote",
    method: Annotated[
        Literal["ridge", "lasso", "forest", "blending", "voting"] | None,
        typer.Option("--method", help="How a stack combines its members. [default: setting stack.method]"),
    ] = None,
    models: Annotated[
        str | None,
        typer.Option("--models", metavar="A,B", help=f"{options.MODELS} [default: those of the recipe]"),
    ] = None,
    features: options.Features = None,
    full: options.Full = False,
    as_json: options.Json = False,
) -> None:
    """Train an ensemble and publish it as a bundle.

    Needs --data with --symbols or --top, or --freqtrade-config. With --rolling, bundles are trained one after the other
    along time and published as a series. A book needs --data alone: it chooses its markets day by day.
    """
    from quorate.cli import output
    from quorate.cli.render import training
    from quorate.workflows.inputs import Data
    from quorate.workflows.inputs.freqtrade_markets import configured
    from quorate.workflows.inputs.selection import Selection as Selected
    from quorate.workflows.results import TrainResult
    from quorate.workflows.train import train as train_bundle
    from quorate.workflows.train_rolling import train_rolling

    selection = Selected(symbols=symbols, top=top, timeframe=timeframe, start=start, end=end)
    if recipe == "book":
        others: dict[str, Any] = {"rolling": every, "window": window, "method": method, "features": features}
        others |= {"freqtrade_config": freqtrade_config}
        _train_book(data, out, [name for name, value in others.items() if value], selection, models, as_json=as_json)
        return
    if window is not None and every is None:
        raise ArgumentError("train", found="`window` without `every`", expected="`every`: how often to train")
    source: Data
    if freqtrade_config:
        markets, selection = configured(freqtrade_config, data, selection)
        source = markets.config.source
        training.note_markets(markets)
    elif data is None:
        raise ArgumentError("read candles", found="no `data`", expected="`data`, or `freqtrade_config`")
    else:
        source = data
    shared: dict[str, Any] = {"recipe": recipe, "method": method, "models": models, "features": features, **selection}
    with output.progress() as progress:
        result = (
            train_bundle(source, out, progress=progress, **shared)
            if every is None
            else train_rolling(source, out, every=every, window=window, progress=progress, **shared)
        )
    training.note_cards((result,) if isinstance(result, TrainResult) else result.bundles)
    if as_json:
        output.print_json(result.to_json())
        return
    folder = source if isinstance(source, str | Path) else data
    training.show(result, full=full, following=_following(result.path, folder, end))


def _following(bundle: Path, data: Path | str | None, end: int | None) -> str:
    """The command to go on with: the newest signals, or where the span had an end, later candles."""
    asked = f"--bundle {bundle}" + ("" if data is None else f" --data {data}")
    return f"quorate signal {asked}" if end is None else f"quorate evaluate {asked} --from {format_ms(end)[:10]}"


def _train_book(
    data: Path | None,
    out: Path,
    others: Sequence[str],
    selection: Selection,
    models: str | None,
    *,
    as_json: bool,
) -> None:
    """Train a book; options of the other recipes are refused."""
    from quorate.cli import output
    from quorate.cli.render.book import target_weights as render
    from quorate.workflows.book.train import train_book

    if others:
        raise ArgumentError(
            "train a book", found=f"`{others[0]}`", expected="`data`, `out`, and a selection of markets and a span"
        )
    if data is None:
        raise ArgumentError("read candles", found="no `data`", expected="`data`")
    with output.progress() as progress:
        result = train_book(data, out, models=models, progress=progress, **selection)
    if as_json:
        output.print_json(result.to_json())
    else:
        render.show_training(result, f"quorate signal --bundle {result.path} --data {data}")
