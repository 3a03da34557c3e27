"""`quorate evaluate`: scores and trades of an ensemble on bars outside its training span."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from quorate.cli import options
from quorate.core.errors import ArgumentError
from quorate.core.text.plural import counted

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.workflows.inputs.selection import Selection as Selected


def evaluate(
    data: options.Data,
    bundle: Annotated[
        Path | None, typer.Option("--bundle", metavar="PATH", help=f"{options.BUNDLE} [default: a walk-forward]")
    ] = None,
    recipe: Annotated[
        Literal["vote", "book"],
        typer.Option("--recipe", help="Without --bundle: a vote, or a book whose members are refitted each month."),
    ] = "vote",
    timeframe: options.Timeframe = None,
    symbols: Annotated[
        str | None,
        typer.Option("--symbols", metavar="A,B", help=f"{options.SYMBOLS} [default with --bundle: all of its kind]"),
    ] = None,
    top: options.Top = None,
    start: options.Start = None,
    end: options.End = None,
    models: Annotated[
        str | None,
        typer.Option("--models", metavar="A,B", help=f"{options.MODELS} [default: the members of a vote]"),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            "--folds", min=1, metavar="N", help="Test spans of the walk-forward. [default: setting evaluation.folds]"
        ),
    ] = None,
    rolling: Annotated[
        bool,
        typer.Option("--rolling", help="Train each fold on the newest bars only, instead of on all earlier bars."),
    ] = False,
    select: Annotated[
        int | None,
        typer.Option(
            "--select",
            min=0,
            metavar="N",
            help="Members that vote on each day, chosen by earlier days; 0: all. [default: setting select.size]",
        ),
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            "--predictions", metavar="FILE", help="File to write each member's test scores to, for `quorate weights`."
        ),
    ] = None,
    features: Annotated[
        str | None,
        typer.Option("--features", metavar="SET", help=f"{options.FEATURES} [default: setting train.features]"),
    ] = None,
    policy: options.Policy = None,
    engine: options.Engine = None,
    allow_training_span: options.AllowTrainingSpan = False,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="FILE",
            help="HTML report to write. [default: a new file in the setting evaluation.reports; none with --json]",
        ),
    ] = None,
    trades: options.Trades = None,
    full: options.Full = False,
    as_json: options.Json = False,
) -> None:
    """Evaluate an ensemble on bars outside its training span.

    With --bundle: a bundle on later candles of all markets of its kind, or of --symbols. Without: members are trained
    along a walk-forward over --symbols or --top, and all test spans are one run of one account. Only a walk-forward
    takes --timeframe, --top, --models, --folds, --rolling, --select, --predictions, --features and --engine.

    With --recipe book: the weights of a book from --from on, by members refitted each month, of all perpetuals or of
    --symbols; beside holding, by sleeve, under worse conditions and against chance.

    Every figure stands beside its baselines on the same bars. Every configuration is recorded in the trial log.
    """
    from quorate.cli import output
    from quorate.cli.render import evaluation as render
    from quorate.lifecycle.explain.mean_contributions import add_contributions
    from quorate.workflows.evaluate import evaluate as evaluate_bundle
    from quorate.workflows.inputs.selection import Selection
    from quorate.workflows.runs.trials import RunRecord
    from quorate.workflows.walk_forward import walk_forward

    if recipe == "book":
        others: dict[str, Any] = {"bundle": bundle, "top": top, "folds": folds, "rolling": rolling, "select": select}
        others |= {"predictions": predictions, "features": features, "policy": policy, "trades": trades}
        _evaluate_book(
            data,
            [name for name, value in others.items() if value],
            Selection(symbols=symbols, timeframe=timeframe, start=start, end=end),
            models,
            report,
            options.settings_with(engine),
            as_json=as_json,
            full=full,
        )
        return
    walk_only: dict[str, Any] = {
        "timeframe": timeframe,
        "top": top,
        "models": models,
        "folds": folds,
        "rolling": rolling or None,
        "select": select,
        "predictions": predictions,
        "features": features,
        "engine": engine,
    }
    _require_consistent(bundle, walk_only, allow_training_span=allow_training_span)
    shared: dict[str, Any] = {
        "policy": policy,
        "record": RunRecord(options.command_line()),
        "symbols": symbols,
        "start": start,
        "end": end,
    }
    with output.progress() as progress:
        if bundle is not None:
            result = evaluate_bundle(bundle, data, allow_training_span=allow_training_span, progress=progress, **shared)
            if report is not None or not as_json:
                add_contributions(result, bundle, data, progress=progress)
        else:
            del walk_only["engine"]
            shared |= walk_only | {"rolling": rolling, "settings": options.settings_with(engine)}
            result = walk_forward(data, progress=progress, **shared)
    render.show_result(result, report, as_json=as_json, full=full)
    if trades is not None:
        output.note(f"{counted(len(result.result.trades), 'trade')} written to {result.write_trades(trades)}")


def _require_consistent(bundle: Path | None, walk_only: dict[str, Any], *, allow_training_span: bool) -> None:
    given = [f"`{name}`" for name, value in walk_only.items() if value is not None]
    if bundle is not None and given:
        raise ArgumentError(
            "evaluate a bundle",
            found=", ".join(given),
            expected=f"none of {', '.join(f'`{name}`' for name in walk_only)}, which are those of a walk-forward",
        )
    if bundle is None and allow_training_span:
        raise ArgumentError(
            "walk forward",
            found="`allow_training_span=True`",
            expected="it only with `bundle`: a walk-forward never tests on bars that it was trained on",
        )


def _evaluate_book(
    data: Path,
    others: Sequence[str],
    selection: Selected,
    models: str | None,
    report: Path | None,
    settings: Settings | None,
    *,
    as_json: bool,
    full: bool,
) -> None:
    """Judge a book; options of other evaluations are refused."""
    from quorate.cli import output
    from quorate.cli.render.book.judgement import show_book_judgement
    from quorate.cli.render.book.target_weights import show_account
    from quorate.workflows.book.evaluate import evaluate_book
    from quorate.workflows.runs.trials import RunRecord

    if others:
        raise ArgumentError(
            "evaluate a book", found=f"`{others[0]}`", expected="`start`, and `end`, `symbols`, `timeframe` or `models`"
        )
    with output.progress() as progress:
        result = evaluate_book(
            data,
            models=models,
            settings=settings,
            record=RunRecord(options.command_line()),
            progress=progress,
            **selection,
        )
    if as_json:
        output.print_json(result.to_json())
    else:
        show_book_judgement(result.judgement, full=full)
        show_account(result.document["account"])
    if report is not None:
        output.note(f"report written to {result.report(report)}")
