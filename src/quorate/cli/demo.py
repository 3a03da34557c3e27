"""`quorate demo`: the whole way from candles to a judged decision, on a market that never existed."""

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
    seed: Annotated[int, typer.Option("--seed", help="Another market.")] = 7,
    edge: Annotated[
        float, typer.Option("--edge", min=0.0, max=0.6, help="How predictable the market is made; 0 is a random walk.")
    ] = _EDGE,
    as_json: options.Json = False,
) -> None:
    """Make a synthetic market, train on it, vote, score, backtest, and write one HTML page."""
    from quorate.cli import output
    from quorate.cli.render import training
    from quorate.cli.run import judge, run
    from quorate.cli.scoreboard import show
    from quorate.core.clock import timeframe_ms
    from quorate.core.configuration import load_settings
    from quorate.ensemble.inference.loading import load_bundle
    from quorate.evaluation.report.html import write_report
    from quorate.evaluation.statistics.trial_log import TrialLog
    from quorate.market import FreqtradeFolder
    from quorate.market.synthetic import SyntheticMarket
    from quorate.workflows.train import train

    settings = _small(load_settings())
    market = SyntheticMarket(seed=seed, symbols=_SYMBOLS, bars=_BARS, edge=edge)
    folder = out / "data"
    seam = int(market.candles(market.names[0]).time[0]) + _TRAIN_BARS * timeframe_ms(market.timeframe)
    with output.progress() as tell:
        market.write(folder)
        tell("making the market", len(market.names), len(market.names))
        source = FreqtradeFolder(folder)
        trained = train(
            source,
            out / "bundles",
            settings=settings,
            progress=tell,
            symbols=market.names,
            timeframe=market.timeframe,
            end=seam,
        )
        bundle = load_bundle(trained.path, settings.predict)
        ran = run(bundle, source, market.names, seam, None, settings, tell, sets=True)
        ledger = TrialLog(out / "trials.jsonl")  # of a market that never existed: it stays with it
        card, document = judge(ran, tell, data=str(folder), ledger=ledger, verb="demo")
        signals = [bundle.predict(candles) for candles in ran.candles.values()]
        page = out / "report.html"
        write_report(page, card)
        tell("writing the page", 1, 1)
    if as_json:
        output.print_json(
            {
                "synthetic": True,
                "seed": seed,
                "edge": edge,
                "train": trained.to_json(),
                "signals": [signal.to_json() for signal in signals],
                "evaluate": document,
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
    show(document)
    output.print_line()
    output.print_line(
        f"The edge in this market was planted ({edge:g} of the variance of returns): it shows that the machinery\n"
        "finds what is there, and says nothing about real markets.\n"
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
