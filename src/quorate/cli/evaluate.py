"""`quorate evaluate`: scores and trades of an ensemble on bars that did not train it.

With --bundle a frozen bundle on later candles; without, members are trained along a walk-forward.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quorate.cli import options
from quorate.core.errors import ArgumentError

if TYPE_CHECKING:
    from quorate.workflows.results import Evaluation

_DEFAULT_MODELS = "xgboost,lightgbm"


def evaluate(
    data: options.Data,
    bundle: Annotated[
        Path | None,
        typer.Option("--bundle", help="Evaluate this bundle or series; without it, a walk-forward is trained."),
    ] = None,
    timeframe: Annotated[str | None, typer.Option("--timeframe", help="Of a walk-forward; default: 1h.")] = None,
    symbols: options.Symbols = None,
    top: Annotated[
        int | None,
        typer.Option(
            "--top", min=1, metavar="N", help="Walk-forward over the top N perpetuals by volume before --from."
        ),
    ] = None,
    start: options.Start = None,
    end: options.End = None,
    models: Annotated[
        str | None,
        typer.Option("--models", metavar="A,B", help=f"Members of a walk-forward; default: {_DEFAULT_MODELS}."),
    ] = None,
    folds: Annotated[
        int | None, typer.Option("--folds", min=1, metavar="N", help="Test spans of a walk-forward; default: 5.")
    ] = None,
    rolling: Annotated[
        bool, typer.Option("--rolling", help="Train on the newest bars only, instead of all from the first on.")
    ] = False,
    policy: options.Policy = None,
    allow_training_span: options.AllowTrainingSpan = False,
    report: options.Report = None,
    as_json: options.Json = False,
) -> None:
    """Score an ensemble on bars that it was not trained on, beside its baselines on the same bars.

    With --bundle: later candles of every market of the folder, seen or unseen, unless --symbols names some. Without:
    members are trained along a walk-forward over --symbols or --top, and all test spans are one run of one account.
    Every configuration goes into the trial log; a page goes to --report, else into the folder reports/.
    """
    if bundle is not None:
        walk_only = {"timeframe": timeframe, "top": top, "models": models, "folds": folds, "rolling": rolling or None}
        given = [name for name, value in walk_only.items() if value is not None]
        if given:
            raise ArgumentError(
                "evaluate a bundle", found=f"`{given[0]}`, an option of the walk-forward", expected="none of these"
            )
    elif allow_training_span:
        raise ArgumentError(
            "walk forward",
            found="`allow_training_span=True`",
            expected="it only with `bundle`: a walk-forward never uses such bars",
        )
    from quorate.cli import output
    from quorate.cli.options import command_line
    from quorate.workflows.evaluate import evaluate as evaluate_bundle
    from quorate.workflows.trials import RunRecord
    from quorate.workflows.walk_forward import walk_forward

    if report is not None:
        from quorate.evaluation.report.template import require_plotly

        require_plotly()
    record = RunRecord(command_line())
    with output.progress() as progress:
        if bundle is not None:
            result = evaluate_bundle(
                bundle,
                data,
                policy=policy,
                allow_training_span=allow_training_span,
                record=record,
                progress=progress,
                symbols=symbols,
                start=start,
                end=end,
            )
        else:
            result = walk_forward(
                data,
                models=models or _DEFAULT_MODELS,
                folds=folds,
                rolling=rolling,
                policy=policy,
                record=record,
                progress=progress,
                symbols=symbols,
                top=top,
                timeframe=timeframe,
                start=start,
                end=end,
            )
    if report is None and not as_json and result.scorecard is not None:
        report = _default_page("bundle" if bundle is not None else "walk-forward")
    _show(result, report, as_json=as_json)


def _default_page(what: str) -> Path | None:
    """A page of its own for every run; None, and a note, where it cannot be drawn."""
    from importlib.util import find_spec

    from quorate.cli import output
    from quorate.core.clock import iso_ms, now_ms
    from quorate.core.configuration import load_settings

    if find_spec("plotly") is None:
        output.note("no page is written without plotly: pip install 'quorate[train]'")
        return None
    stamp = iso_ms(now_ms())[:19].replace("T", "-").replace(":", "")
    return Path(load_settings().evaluation.reports) / f"{stamp}-{what}.html"


def _show(result: Evaluation, report: Path | None, *, as_json: bool) -> None:
    from quorate.cli import output
    from quorate.cli.render.evaluation import show

    document = result.to_json()
    if as_json:
        output.print_json(document)
    else:
        show(document)
    if result.scorecard is None:
        if report is not None:
            output.note("no page is written for a stack: all of its figures are in --json")
        return
    if report is not None:
        output.note(f"report written to {result.report(report)}")
    output.note(f"{len(result.scorecard.configurations)} configurations recorded in {document['provenance']['ledger']}")
