"""`quorate demo`: from candles to an evaluated decision, on a synthetic market."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quorate.cli import options

if TYPE_CHECKING:
    from quorate.core.settings import Settings

# Half a year of hourly bars: two thirds to train, the rest to judge.
_SYMBOLS, _BARS, _TRAIN_BARS = 12, 4_320, 2_880
# Share of the returns' variance that the hidden trend explains; a real market has nothing like it.
_EDGE = 0.03


# A demonstration is over in minutes: a PatchTST of a hundredth of the usual work, and few passes.
_WIDTH, _HEADS, _LAYERS, _FEEDFORWARD, _EPOCHS = 32, 4, 2, 64, 3


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for the candles, the bundle and the page.")] = Path("demo"),
    seed: Annotated[int, typer.Option("--seed", help="Seed of the synthetic market.")] = 7,
    edge: Annotated[
        float,
        typer.Option("--edge", min=0.0, max=0.6, help="Predictable share of the returns' variance; 0: a random walk."),
    ] = _EDGE,
    as_json: options.Json = False,
) -> None:
    """Generate a synthetic market, train on it, vote, score, backtest, and write one HTML page."""
    from quorate.cli import output
    from quorate.cli.options import command_line
    from quorate.cli.render import training
    from quorate.cli.render.evaluation import show
    from quorate.core.clock import timeframe_ms
    from quorate.core.configuration import load_settings
    from quorate.ensemble.inference.loading import load_bundle
    from quorate.market.synthetic import SyntheticMarket
    from quorate.workflows.evaluate import evaluate
    from quorate.workflows.train import train
    from quorate.workflows.trials import RunRecord

    settings = _small(load_settings())
    market = SyntheticMarket(seed=seed, symbols=_SYMBOLS, bars=_BARS, edge=edge)
    folder = out / "data"
    seam = int(market.candles(market.names[0]).time[0]) + _TRAIN_BARS * timeframe_ms(market.timeframe)
    # Trials on synthetic candles stay beside them, out of the user's own log.
    record = RunRecord(command_line(), verb="demo", path=out / "trials.jsonl")
    with output.progress() as progress:
        market.write(folder)
        progress("generating the market", len(market.names), len(market.names))
        trained = train(
            folder,
            out / "bundles",
            settings=settings,
            progress=progress,
            symbols=market.names,
            timeframe=market.timeframe,
            end=seam,
        )
        bundle = load_bundle(trained.path, settings.predict, features=settings.features)
        evaluation = evaluate(
            bundle, folder, settings=settings, record=record, progress=progress, symbols=market.names, start=seam
        )
        signals = [bundle.predict(market.candles(symbol)) for symbol in market.names]
        page = evaluation.report(out / "report.html")
        progress("writing the page", 1, 1)
    if as_json:
        output.print_json(
            {
                "synthetic": True,
                "seed": seed,
                "edge": edge,
                "train": trained.to_json(),
                "signals": [signal.to_json() for signal in signals],
                "evaluate": evaluation.to_json(),
                "report": str(page),
            }
        )
        return
    training.show(trained)
    output.print_line()
    output.print_line("[SYNTHETIC] Signals at the newest closed bar")
    for signal in signals:
        output.print_line(f"  {signal.symbol}  {signal.action.name} {signal.confidence:.0%}  {signal.line()}")
    output.print_line()
    show(evaluation.to_json())
    output.print_line()
    output.print_line(
        f"The market's predictability was set by --edge ({edge:g} of the variance of returns): the demo shows that\n"
        "the program finds it, and nothing about real markets.\n"
        f"page {page}"
    )


def _small(settings: Settings) -> Settings:
    """The same with networks that are quickly trained, none larger than it was."""
    nhits, patchtst = settings.models.nhits, settings.models.patchtst
    return replace(
        settings,
        models=replace(
            settings.models,
            nhits=replace(nhits, epochs=min(nhits.epochs, _EPOCHS)),
            patchtst=replace(
                patchtst,
                epochs=min(patchtst.epochs, _EPOCHS),
                width=min(patchtst.width, _WIDTH),
                heads=min(patchtst.heads, _HEADS),
                layers=min(patchtst.layers, _LAYERS),
                feedforward=min(patchtst.feedforward, _FEEDFORWARD),
            ),
        ),
    )
