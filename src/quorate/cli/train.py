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
    from quorate.ensemble.train import Trained

_DEFAULT_TIMEFRAME = "1h"

# Marks rows that a member's training looked at, to stop early.
_STOPPED_BY = "*"


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
    from quorate.cli import output
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
        output.print_json(to_json(trained))
    else:
        show(trained)


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
    from quorate.ensemble.cost import stage
    from quorate.ensemble.train import train as train_ensemble

    stages: list[Any] = []
    with stage("candles", stages):
        panel = read_panel(source, timeframe, symbols, tell, start=start, end=end)
    return train_ensemble(
        panel,
        timeframe,
        models=models,
        settings=settings,
        out=out,
        measure=measure_of(recipe, settings),
        recipe=recipe,
        start=start,
        end=end,
        tell=tell,
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
    from quorate.evaluation.metrics import log_loss, prior_scores
    from quorate.evaluation.sample import Sample
    from quorate.evaluation.scores import score_figures
    from quorate.evaluation.significance import TimeBlocks

    rows = np.zeros(len(y), np.int64)
    order = np.argsort(time, kind="stable")
    y, scores, time, forward_return = y[order], scores[order], time[order], forward_return[order]
    sample = Sample(y, forward_return, time, rows, ("all",), {}, rows.astype(np.int8))
    figures = score_figures(sample, scores, prior, TimeBlocks(time, settings))
    return {**figures, "prior_log_loss": log_loss(y, prior_scores(prior, len(y)))}


def to_json(trained: Trained) -> dict[str, Any]:
    """The form of `quorate train --json`."""
    from quorate.cli.stack import stack_json
    from quorate.core.clock import iso_ms

    manifest = trained.manifest
    return {
        "bundle": str(trained.path),
        "id": manifest.id,
        "mode": trained.mode,
        "synthetic": manifest.synthetic,
        "models": {
            member.model: {
                "ok": member.ok,
                "seconds": round(member.seconds, 3),
                "metrics": member.metrics,
                "failure": member.failure,
                "earlier": member.earlier,
            }
            for member in trained.members
        },
        "rows": manifest.rows["candles"],
        "rows_by_part": dict(manifest.rows),
        "span": {"from": iso_ms(manifest.training_start), "to": iso_ms(manifest.training_end)},
        **({"int8": manifest.metrics["int8"]} if "int8" in manifest.metrics else {}),
        **(
            stack_json(trained)
            if manifest.recipe == "stack"
            else {"class_prior": dict(zip(("SELL", "HOLD", "BUY"), manifest.class_prior, strict=True))}
        ),
        "symbols": list(manifest.symbols),
        "stages": [
            {"stage": stage.name, "seconds": round(stage.seconds, 3), "peak_mib": round(stage.peak_mib, 1)}
            for stage in trained.stages
        ],
    }


def show(trained: Trained) -> None:
    """The summary for a person: rows, stages, and every member beside its baselines."""
    from quorate.cli import output
    from quorate.cli.stack import show_stack
    from quorate.core.clock import format_ms

    manifest = trained.manifest
    rows = manifest.rows
    span = f"{format_ms(manifest.training_start)} to {format_ms(manifest.training_end)}"
    if manifest.synthetic:
        output.print_line(output.SYNTHETIC)
    output.print_line(
        f"{len(manifest.symbols)} symbols, {rows['candles']:,} candles, {rows['labelled']:,} labelled, {span}\n"
        f"trained on {rows['train']:,} rows, validated on {rows['validation']:,}, tested on {rows['test']:,} later ones"
    )
    if manifest.recipe == "stack":
        show_stack(trained)
    else:
        _show_members(trained)
        _show_bits(trained)
    output.print_rows(
        "Cost",
        ("stage", "wall", "peak memory"),
        [(stage.name, f"{stage.seconds:.1f} s", f"{stage.peak_mib:.0f} MiB") for stage in trained.stages],
        synthetic=manifest.synthetic,
    )
    earlier = [member.model for member in trained.members if member.earlier]
    if earlier:
        output.print_line(f"{', '.join(earlier)}: finished by an earlier run that was interrupted, taken as they were")
    loaded = sum(member.ok for member in trained.members)
    output.print_line(f"{loaded}/{len(trained.members)} members, mode {trained.mode}\nbundle {trained.path}")


def _show_members(trained: Trained) -> None:
    """Every member of a vote beside the class prior."""
    from quorate.cli import output

    table = []
    for member in trained.members:
        if not member.ok:
            table.append((member.model, "failed", f"{member.seconds:.1f} s", "", "", "", "", member.failure or ""))
            continue
        for part, figures in member.metrics.items():
            low, high = figures["skill_vs_prior_ci"]
            table.append(
                (
                    member.model,
                    f"{part}{_STOPPED_BY if figures['stopped_by'] else ''}",
                    f"{member.seconds:.1f} s",
                    f"{figures['log_loss']:.4f}",
                    f"{figures['prior_log_loss']:.4f}",
                    f"{figures['skill_vs_prior']:+.2%} [{low:+.2%}, {high:+.2%}]",
                    f"{figures['auc']:.3f}",
                    "",
                )
            )
    output.print_rows(
        "Members, on rows they were not fitted on",
        ("model", "rows", "time", "log-loss", "class prior's", "skill against the prior", "AUC", ""),
        table,
        synthetic=trained.manifest.synthetic,
        prose=True,
    )
    if any(figures["stopped_by"] for member in trained.members for figures in member.metrics.values()):
        output.print_line(
            f"{_STOPPED_BY} the member stopped training by some of these rows: its figures there flatter it"
        )


def _show_bits(trained: Trained) -> None:
    """What became of the networks that were to be served in 8 bits, if any were."""
    from quorate.cli import output

    told = trained.manifest.metrics.get("int8")
    if told is None:
        return
    table = []
    for model, share in told["classes"].items():
        before, after = told["log_loss"][model]
        served = "8 bits" if model in told["kept"] else "32 bits"
        table.append((model, f"{share:.2%}", f"{before:.4f}", f"{after:.4f}", served))
    output.print_rows(
        f"In 8 bits, on {told['rows']:,} rows of validation",
        ("model", "same class", "log-loss", "in 8 bits", "served in"),
        table,
        synthetic=trained.manifest.synthetic,
    )
    for policy, found in told["decisions"].items():
        if found["same"] is None:
            output.print_line(f"policy {policy}: never acts")
        else:
            output.print_line(f"policy {policy}: acts on {found['acted']:,} rows, the same on {found['same']:.2%}")
