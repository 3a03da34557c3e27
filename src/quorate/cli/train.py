"""`quorate train`: candles to a bundle."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import typer

from quorate.cli import options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quorate.cli.output import Tell
    from quorate.core.settings import EvaluationSettings, Settings
    from quorate.core.types import ActionArray, FloatArray, IntArray
    from quorate.ensemble.recipes import RecipeName
    from quorate.ensemble.training.train_ensemble import Trained

_DEFAULT_TIMEFRAME = "1h"


def train(
    out: Annotated[Path, typer.Option("--out", help="Folder of bundles; made if absent.")],
    data: Annotated[
        Path | None, typer.Option("--data", help="A Freqtrade data folder, such as user_data/data/binance.")
    ] = None,
    timeframe: Annotated[
        str | None, typer.Option("--timeframe", help="Length of a bar: 5m, 1h, 4h, 1d ...; 1h if nothing says it.")
    ] = None,
    symbols: options.Symbols = None,
    top: Annotated[
        int | None,
        typer.Option("--top", min=1, metavar="N", help="The N perpetuals of most quote volume before the span."),
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
    rolling: Annotated[
        int | None,
        typer.Option(
            "--rolling", parser=options.days, metavar="PERIOD", help="Train a series, one bundle every 30d or 4w."
        ),
    ] = None,
    window: Annotated[
        int | None,
        typer.Option(
            "--window", parser=options.days, metavar="LENGTH", help="Training span of each bundle of a series, as 180d."
        ),
    ] = None,
    recipe: Annotated[
        Literal["vote", "stack"],
        typer.Option("--recipe", help="Members that score classes and vote, or that predict returns to be stacked."),
    ] = "vote",
    method: Annotated[
        Literal["ridge", "lasso", "forest", "blending", "voting"] | None,
        typer.Option("--method", help="How a stack combines its members; stack.method if not given."),
    ] = None,
    models: Annotated[
        str | None, typer.Option("--models", metavar="A,B", help="Members, in order; the recipe's own if not given.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Train an ensemble on a span of candles and publish it as a bundle, or with --rolling a series of them."""
    from quorate.cli import output, summary
    from quorate.core.configuration import load_settings
    from quorate.ensemble.recipes import RECIPES
    from quorate.market import FreqtradeFolder

    wanted = options.split_symbols(symbols)
    if sum((bool(wanted), top is not None, bool(freqtrade_config))) != 1:
        raise typer.BadParameter("Name the markets: either --symbols A,B or --top N or --freqtrade-config FILE.")
    if data is None and not freqtrade_config:
        raise typer.BadParameter("Name the folder of candles with --data.")
    if top is not None and start is None:
        raise typer.BadParameter("--top ranks by volume before the span: say where that begins with --from.")
    if method is not None and recipe != "stack":
        raise typer.BadParameter("--method says how a stack combines its members: add --recipe stack.")
    if window is not None and rolling is None:
        raise typer.BadParameter("--window is of a series: say how often to train with --rolling.")
    settings = load_settings()
    if method is not None:
        settings = replace(settings, stack=replace(settings.stack, method=method))
    bars = timeframe or _DEFAULT_TIMEFRAME
    if freqtrade_config:
        from quorate.cli.freqtrade_config import markets

        data, bars, wanted = markets(freqtrade_config, data, timeframe)
    source = FreqtradeFolder(data or Path())
    with output.progress() as tell:
        if top is not None and start is not None:
            from quorate.market.universe import top as most_traded

            wanted = most_traded(source, bars, top, start, settings=settings.universe)
        members = options.split_symbols(models) or RECIPES[recipe].models
        if rolling is not None:
            from quorate.cli.rolling import train_series

            series = train_series(
                source, wanted, bars, start, end, members, out, settings, tell, rolling, window, recipe=recipe
            )
        else:
            trained = train_on(source, wanted, bars, start, end, members, out, settings, tell, recipe=recipe)
    if rolling is not None:
        from quorate.cli.rolling import series_json, show_series

        output.print_json(series_json(series)) if as_json else show_series(series)
    elif as_json:
        output.print_json(summary.to_json(trained))
    else:
        summary.show(trained)


def train_on(
    source: Any,
    symbols: tuple[str, ...],
    timeframe: str,
    start: int | None,
    end: int | None,
    models: Sequence[str],
    out: Path,
    settings: Settings,
    tell: Tell,
    *,
    recipe: RecipeName = "vote",
) -> Trained:
    """Read the candles and train: what the verb and the demo share."""
    from quorate.cli.panel import read_panel
    from quorate.ensemble.training.timing import stage
    from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble

    stages: list[Any] = []
    with stage("candles", stages):
        panel = read_panel(source, timeframe, symbols, tell, start=start, end=end)
    return train_ensemble(
        panel,
        timeframe,
        TrainingSpec(
            models=models, settings=settings, measure=measure_of(recipe, settings), recipe=recipe, start=start, end=end
        ),
        out,
        progress=tell,
        stages=stages,
    )


def measure_of(recipe: RecipeName, settings: Settings) -> Any:
    """What judges a member's outputs while it is trained."""
    if recipe == "vote":
        return partial(_figures, settings.evaluation)
    from quorate.cli.stack import return_figures

    return partial(return_figures, settings.evaluation, settings.target.return_horizon)


def _figures(
    settings: EvaluationSettings,
    y: ActionArray,
    scores: FloatArray,
    prior: FloatArray,
    time: IntArray,
    forward_return: FloatArray,
) -> dict[str, Any]:
    """A member's figures on rows it was not fitted on, beside the class prior's on the same rows."""
    from quorate.evaluation.labelled_predictions import LabelledPredictions
    from quorate.evaluation.metrics.classification import log_loss, prior_scores
    from quorate.evaluation.metrics.classification_report import score_figures
    from quorate.evaluation.statistics.block_bootstrap import TimeBlocks

    rows = np.zeros(len(y), np.int64)
    order = np.argsort(time, kind="stable")
    y, scores, time, forward_return = y[order], scores[order], time[order], forward_return[order]
    sample = LabelledPredictions(y, forward_return, time, rows, ("all",), {}, rows.astype(np.int8))
    figures = score_figures(sample, scores, prior, TimeBlocks(time, settings))
    return {**figures, "prior_log_loss": log_loss(y, prior_scores(prior, len(y)))}
