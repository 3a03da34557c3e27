"""`quorate train`: a bundle, or with --rolling a series of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from quorate.cli import options


def train(
    out: Annotated[Path, typer.Option("--out", help="Folder of bundles; made if absent.")],
    data: Annotated[
        Path | None, typer.Option("--data", help="A Freqtrade data folder, such as user_data/data/binance.")
    ] = None,
    timeframe: Annotated[
        str | None, typer.Option("--timeframe", help="Length of a bar: 5m, 1h, 4h, 1d ...; default: 1h.")
    ] = None,
    symbols: options.Symbols = None,
    top: Annotated[
        int | None,
        typer.Option("--top", min=1, metavar="N", help="The top N perpetuals by quote volume before --from."),
    ] = None,
    freqtrade_config: Annotated[
        list[Path] | None,
        typer.Option(
            "--freqtrade-config",
            metavar="FILE",
            help="Take markets, timeframe and data folder from this configuration; may be repeated, as Freqtrade's -c.",
        ),
    ] = None,
    start: options.Start = None,
    end: options.End = None,
    every: Annotated[
        str | None, typer.Option("--rolling", metavar="PERIOD", help="Train a series, one bundle every 30d or 4w.")
    ] = None,
    window: Annotated[
        str | None,
        typer.Option("--window", metavar="LENGTH", help="Training span of each bundle of a series, such as 180d."),
    ] = None,
    recipe: Annotated[
        Literal["vote", "stack"],
        typer.Option("--recipe", help="Members that score classes and vote, or that predict returns to be stacked."),
    ] = "vote",
    method: Annotated[
        Literal["ridge", "lasso", "forest", "blending", "voting"] | None,
        typer.Option("--method", help="How a stack combines its members; default: the setting stack.method."),
    ] = None,
    models: Annotated[
        str | None, typer.Option("--models", metavar="A,B", help="Members, in order; default: those of the recipe.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Train an ensemble on a span of candles and publish it as a bundle, or with --rolling a series of them."""
    from quorate.cli import output
    from quorate.cli.render import training
    from quorate.core.errors import ArgumentError
    from quorate.workflows.selection import Selection
    from quorate.workflows.train import train as train_bundle
    from quorate.workflows.train_rolling import train_rolling

    if freqtrade_config and (symbols or top is not None):
        raise ArgumentError("select the markets", found="two selections", expected="one", remedy=_MARKETS)
    if data is None and not freqtrade_config:
        raise ArgumentError("read candles", found="no `data`", expected="a Freqtrade data folder")
    if window is not None and every is None:
        raise ArgumentError("train", found="`window` without `every`", expected="`every`: how often to train")
    selection = Selection(symbols=symbols, top=top, timeframe=timeframe, start=start, end=end)
    folder = data or Path()
    if freqtrade_config:
        from quorate.market.freqtrade_config import read_markets

        markets = read_markets(freqtrade_config, data, timeframe)
        training.note_markets(markets)
        folder = markets.config.data
        selection |= Selection(symbols=markets.symbols, timeframe=markets.timeframe)
    with output.progress() as progress:
        if every is not None:
            series = train_rolling(
                folder,
                out,
                every=every,
                window=window,
                recipe=recipe,
                method=method,
                models=models,
                progress=progress,
                **selection,
            )
        else:
            trained = train_bundle(
                folder, out, recipe=recipe, method=method, models=models, progress=progress, **selection
            )
    if every is not None:
        output.print_json(series.to_json()) if as_json else training.show_series(series)
    else:
        output.print_json(trained.to_json()) if as_json else training.show(trained)


_MARKETS = "Name the markets with either `symbols`, `top` or `freqtrade_config`."
