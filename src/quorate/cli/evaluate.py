"""`quorate evaluate`: how good an ensemble is on bars it has not seen.

With --bundle it is a frozen bundle on later candles; without, members are trained anew along a walk-forward.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quorate.cli import options

if TYPE_CHECKING:
    from quorate.evaluation.scorecard import Scorecard

_DEFAULT_MODELS = "xgboost,lightgbm"
_DEFAULT_TIMEFRAME = "1h"


def evaluate(
    data: options.Data,
    bundle: Annotated[
        Path | None,
        typer.Option("--bundle", help="Judge this bundle or series; without it, a walk-forward is trained."),
    ] = None,
    timeframe: Annotated[str | None, typer.Option("--timeframe", help="Of a walk-forward; 1h if not given.")] = None,
    symbols: options.Symbols = None,
    top: Annotated[
        int | None,
        typer.Option("--top", min=1, metavar="N", help="Walk-forward over the N most traded perpetuals before --from."),
    ] = None,
    start: options.Start = None,
    end: options.End = None,
    models: Annotated[
        str | None, typer.Option("--models", metavar="A,B", help=f"Members of a walk-forward; {_DEFAULT_MODELS}.")
    ] = None,
    folds: Annotated[
        int | None, typer.Option("--folds", min=1, metavar="N", help="Test spans of a walk-forward; 5 if not set.")
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
    Every configuration goes into the trial ledger; a page goes to --report, else into the folder reports/.
    """
    wanted = options.split_symbols(symbols)
    if bundle is not None:
        given = {"--timeframe": timeframe, "--top": top, "--models": models, "--folds": folds, "--rolling": rolling}
        strange = [option for option, value in given.items() if value not in (None, False)]
        if strange:
            raise typer.BadParameter(f"{strange[0]} is of the walk-forward; a bundle is trained already.")
    else:
        if allow_training_span:
            raise typer.BadParameter("--allow-training-span needs --bundle: a walk-forward never uses such bars.")
        if bool(wanted) == (top is not None):
            raise typer.BadParameter("Name a --bundle, or the markets to train on: either --symbols A,B or --top N.")
        if top is not None and start is None:
            raise typer.BadParameter("--top ranks by volume before the span: say where that begins with --from.")
    if start is not None and end is not None and start >= end:
        raise typer.BadParameter("--from must come before --to.")

    from quorate.cli import output
    from quorate.cli.record import open_ledger
    from quorate.cli.run import judge, run
    from quorate.core.configuration import load_settings
    from quorate.market import FreqtradeFolder
    from quorate.trading.account.contracts import read_contracts

    if report is not None:
        from quorate.evaluation.report.template import require_plotly

        require_plotly()
    settings = load_settings()
    if policy is not None:
        settings = replace(settings, policy=replace(settings.policy, name=policy))
    ledger = open_ledger(settings)
    source, contracts = FreqtradeFolder(data), read_contracts(data)
    card: Scorecard | None = None
    with output.progress() as tell:
        if bundle is not None:
            from quorate.ensemble.series import load

            loaded = load(bundle, settings.predict, policy)
            ran = run(
                *(loaded, source, wanted, start, end, settings, tell),
                allow_training_span=allow_training_span,
                sets=True,
                contracts=contracts,
            )
            if loaded.stack is not None:
                from quorate.cli.stack import judge_stack

                document = judge_stack(ran, tell, data=str(data), ledger=ledger)
            else:
                card, document = judge(ran, tell, data=str(data), ledger=ledger)
        else:
            from quorate.cli.walk import walk_forward

            bars = timeframe or _DEFAULT_TIMEFRAME
            if top is not None and start is not None:
                from quorate.market.universe import top as most_traded

                wanted = most_traded(source, bars, top, start, settings=settings.universe)
            members = options.split_symbols(models or _DEFAULT_MODELS)
            card, document = walk_forward(
                source,
                wanted,
                bars,
                members,
                start,
                end,
                settings,
                tell,
                folds=folds,
                anchored=not rolling,
                ledger=ledger,
                data=str(data),
                contracts=contracts,
            )
    if card is None:
        from quorate.cli.stack import show_judged

        output.print_json(document) if as_json else show_judged(document)
        if report is not None:
            output.note("no page is drawn of a stack: its figures are all in --json")
        return
    if report is None and not as_json:
        report = _default_page(settings.evaluation.reports, "bundle" if bundle is not None else "walk-forward")
    _show(card, document, report, as_json=as_json)


def _default_page(folder: str, what: str) -> Path | None:
    """A page of its own for every run; none, and a word about it, where it cannot be drawn."""
    from importlib.util import find_spec

    from quorate.cli import output
    from quorate.core.clock import iso_ms, now_ms

    if find_spec("plotly") is None:
        output.note("no page is drawn without plotly: pip install 'quorate[train]'")
        return None
    stamp = iso_ms(now_ms())[:19].replace("T", "-").replace(":", "")
    return Path(folder) / f"{stamp}-{what}.html"


def _show(card: Scorecard, document: dict[str, Any], report: Path | None, *, as_json: bool) -> None:
    from quorate.cli import output

    if as_json:
        output.print_json(document)
    else:
        from quorate.cli.scoreboard import show

        show(document)
    if report is not None:
        from quorate.cli.scoreboard import IN_TRAINING_SPAN
        from quorate.evaluation.report.html import write_report

        marks = [IN_TRAINING_SPAN] if document["in_training_span"] else []
        write_report(report, card, warnings=[*marks, *document.get("warnings", ())])
        output.note(f"report written to {report}")
    output.note(f"{len(card.candidates)} configurations recorded in {document['provenance']['ledger']}")
