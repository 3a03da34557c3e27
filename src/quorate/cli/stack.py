"""What a stack's training and evaluation say: everyone beside predicting zero and the mean, on one set of rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from quorate.cli import output

if TYPE_CHECKING:
    from quorate.cli.output import Tell
    from quorate.cli.run import Run
    from quorate.core.settings import EvaluationSettings
    from quorate.core.types import FloatArray, IntArray
    from quorate.ensemble.training.train_ensemble import Trained
    from quorate.evaluation.statistics.trial_log import TrialLog

_PARTS = {
    "out_of_fold": "training rows, each predicted by members fitted on earlier ones",
    "validation": "validation rows, by which members stop early",
    "test": "test rows, which no choice has looked at",
}

_NAMES = {"stack": "the stack", "predict_zero": "predicting zero", "predict_mean": "predicting the mean"}


def return_figures(
    settings: EvaluationSettings,
    horizon: int,
    y: FloatArray,
    predicted: FloatArray,
    mean: FloatArray,  # noqa: ARG001 - judged beside it, as a forecaster of its own
    time: IntArray,
    forward_return: FloatArray,  # noqa: ARG001 - the same as y
) -> dict[str, Any]:
    """Figures of predicted returns, fractions, and the errors once more in percent."""
    import numpy as np

    from quorate.evaluation.metrics.regression import return_figures as judge
    from quorate.evaluation.statistics.block_bootstrap import TimeBlocks

    order = np.argsort(time, kind="stable")
    blocks = TimeBlocks(time[order], settings)
    figures = judge(y[order], predicted[order], time[order], blocks, horizon=horizon)
    return {**figures, **in_percent(figures)}


def in_percent(figures: Mapping[str, Any]) -> dict[str, float | None]:
    """RMSE and MAE in percent, MSE in squared percent.

    >>> in_percent({"rmse": 0.02, "mae": None, "mse": 0.0004})
    {'rmse_pct': 2.0, 'mae_pct': None, 'mse_pct2': 4.0}
    """
    units = (("rmse", "rmse_pct", 1e2), ("mae", "mae_pct", 1e2), ("mse", "mse_pct2", 1e4))
    return {shown: None if figures[name] is None else figures[name] * unit for name, shown, unit in units}


def stack_json(trained: Trained) -> dict[str, Any]:
    """What the document of `quorate train --json` says of a stack besides its members."""
    manifest = trained.manifest
    return {
        "stack": {**manifest.stack, "metrics": manifest.metrics["stack"]},
        "baselines": {name: manifest.metrics[name] for name in ("predict_zero", "predict_mean")},
    }


def judge_stack(
    ran: Run, tell: Tell, *, data: str, ledger: TrialLog | None = None, verb: str = "evaluate"
) -> dict[str, Any]:
    """The document of `quorate evaluate --json` for a stack; with a ledger, it is recorded.

    Args:
        ran: a stack's decisions and trades.
        tell: progress.
        data: the folder that was read.
        ledger: to record it in.
        verb: of the command line.
    """
    from quorate.cli.record import record
    from quorate.evaluation.evaluate_stack import stacked_figures

    # Of a series the oldest bundle's, which all bars lie after.
    oldest = ran.parts(next(iter(ran.frames.values())))[0][0]
    mean = oldest.manifest.stack["mean_return"]
    figures = stacked_figures(ran.frames, ran.result, ran.venue, mean, ran.in_force)
    for told in (figures["members"], {"": figures["ensemble"]}, figures["baselines"]):
        for row in told.values():
            row.update(in_percent(row) if "rmse" in row else {})
    tell("scoring", 1, 1)
    kept = record([ran.candidate], ran.venue, ran.chosen, ran.in_force, ledger, verb=verb, data=data)
    return {**ran.header, **figures, **kept}


def show_judged(document: Mapping[str, Any]) -> None:
    """The document of `judge_stack` for a person."""
    from quorate.cli.scoreboard import IN_TRAINING_SPAN
    from quorate.ensemble.stack.stack_metrics import STACKED, improvements
    from quorate.evaluation.report.tables import cost_table, criteria_table, money_table, trade_table

    if document["synthetic"]:
        output.print_line(output.SYNTHETIC)
    if document["in_training_span"]:
        output.print_line(IN_TRAINING_SPAN)
    output.print_line(f"{document['rows']:,} bars whose future is known, {document['from']} to {document['to']}")
    rows = {**document["members"], STACKED: document["ensemble"]}
    rows |= {name: figures for name, figures in document["baselines"].items() if "rmse" in figures}
    _print_returns("Returns in percent", rows, improvements(rows), synthetic=document["synthetic"])
    for table in (criteria_table, money_table, trade_table, cost_table):
        output.print_table(table(document), synthetic=document["synthetic"])
    if "deflation" in document:
        output.print_line(document["deflation"]["about"])


def show_stack(trained: Trained) -> None:
    """The summary for a person: weights, and one table for each part of the rows."""
    manifest = trained.manifest
    about, metrics = manifest.stack, manifest.metrics
    for member in trained.members:
        said = f"{member.seconds:.1f} s" if member.ok else f"failed: {member.failure}"
        output.print_line(f"{member.model}: {said}")
    strength = "" if about["strength"] is None else f", strength {about['strength']:g} chosen out of fold"
    output.print_line(f"combined by {about['method']}{strength}, on {about['rows']['out_of_fold']:,} rows out of fold")
    if about["weights"] is not None:
        weights = ", ".join(f"{name} {weight:+.3f}" for name, weight in about["weights"].items())
        output.print_line(f"weights: {weights}")
    for part, what in _PARTS.items():
        rows = {name: parts[part] for name, parts in metrics.items() if part in parts}
        if rows:
            better = about["improvement"][part]
            _print_returns(f"Returns in percent, {what}", rows, better, synthetic=manifest.synthetic)
    output.print_line(
        "p: Diebold-Mariano, two-sided, squared errors; R2 above 0 is better than predicting zero.\n"
        f"acts where the predicted return exceeds a round trip's cost, {about['round_trip']:.2%}"
    )


def _print_returns(
    title: str, rows: Mapping[str, Mapping[str, Any]], better: Mapping[str, float | None], *, synthetic: bool
) -> None:
    output.print_rows(
        title,
        ("", "rows", "RMSE", "MAE", "MSE", "R2 against zero", "p against zero", "acts on", "stack is better by"),
        [_row(name, figures, better.get(name)) for name, figures in rows.items()],
        synthetic=synthetic,
    )


def _row(name: str, figures: Mapping[str, Any], better: float | None) -> tuple[str, ...]:
    return (
        _NAMES.get(name, name),
        f"{figures['n']:,}",
        _number(figures["rmse_pct"], ".3f"),
        _number(figures["mae_pct"], ".3f"),
        _number(figures["mse_pct2"], ".3f"),
        _number(figures["r2_vs_zero"], "+.2%"),
        _number(figures["against_zero_p"], ".3f"),
        _number(figures.get("acts"), ".1%"),
        _number(better, "+.2%"),
    )


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
