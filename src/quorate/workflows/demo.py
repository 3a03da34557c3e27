"""The whole way on a synthetic market: candles, training, signals, evaluation, report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from quorate.core.arguments import NUMBER, TEXT, WHOLE, require_types
from quorate.core.errors import ArgumentError
from quorate.core.progress import Progress, silent
from quorate.workflows.inputs.arguments import folder_of, require_callback, require_count, settings_of
from quorate.workflows.results import DemoResult

if TYPE_CHECKING:
    from quorate.core.settings import Settings

#: Share of the returns' variance that is predictable by default; that of real markets is far smaller.
DEFAULT_EDGE = 0.05


def demo(
    out: str | Path = "demo",
    *,
    seed: int = 7,
    edge: float = DEFAULT_EDGE,
    symbols: int = 12,
    bars: int = 4_320,
    settings: Settings | None = None,
    command: str = "",
    progress: Progress = silent,
) -> DemoResult:
    """Generate a synthetic market, train on its first part, predict and evaluate the rest, and write the report.

    A book is trained and traded too: on a market whose symbols trend each by itself, and on a control.

    Args:
        out: folder for the candles, the bundle, the trial log and the report; made if absent.
        seed: of the synthetic market.
        edge: share of the returns' variance that is predictable, 0 to 0.6; 0 is a random walk.
        symbols: number of markets.
        bars: hourly bars of each market; two thirds are trained on.
        settings: None for those of quorate.toml and the environment.
        command: what started the run, for the provenance; by default the call of this function.
        progress: called with each stage's name, units done and units in all.

    Raises:
        DataError: a seed or an edge out of its range, or a file that cannot be written.
        MissingExtraError: the libraries that train are not installed.
    """
    from quorate.core.clock import timeframe_ms
    from quorate.core.settings import BundleSettings
    from quorate.ensemble.inference.loading import load_bundle
    from quorate.market.synthetic import SyntheticMarket
    from quorate.workflows.book.demo import demo_book
    from quorate.workflows.evaluate import evaluate
    from quorate.workflows.runs.trials import RunRecord
    from quorate.workflows.train import train

    settings = settings_of(settings)
    out = folder_of("out", out)
    attempted = "make the demonstration"
    require_types(attempted, seed=(seed, WHOLE), edge=(edge, NUMBER), command=(command, TEXT))
    require_count("symbols", symbols)
    require_count("bars", bars)
    if symbols is None or bars is None or seed < 0:
        raise ArgumentError(
            attempted,
            found=f"`seed` {seed}, `symbols` {symbols}, `bars` {bars}",
            expected="a seed of at least 0, and numbers of markets and bars",
        )
    require_callback(progress=progress)
    market = SyntheticMarket(seed=seed, symbols=symbols, bars=bars, edge=edge)
    folder = out / "data"
    seam = int(market.candles(market.names[0]).time[0]) + bars * 2 // 3 * timeframe_ms(market.timeframe)
    # Trials on synthetic candles are recorded beside them, not in the user's own log.
    record = RunRecord(command, verb="demo", path=out / "trials.jsonl")
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
    bundle = load_bundle(trained.path, settings.predict, features=settings.features, trust=BundleSettings())
    evaluation = evaluate(
        bundle, folder, settings=settings, record=record, progress=progress, symbols=market.names, start=seam
    )
    signals = tuple(bundle.predict(market.candles(symbol)) for symbol in market.names)
    page = evaluation.report(out / "report.html", progress=progress)
    progress("writing the page", 1, 1)
    book = demo_book(out / "books", seed=seed, edge=edge, settings=settings, progress=progress)
    return DemoResult(seed, edge, trained, signals, evaluation, page, book)
