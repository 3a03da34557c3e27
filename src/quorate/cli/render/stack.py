"""A stack's training as tables: members and stack beside predicting zero and the mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from quorate.cli import output

if TYPE_CHECKING:
    from quorate.workflows.results.training import TrainResult

_PARTS = {
    "out_of_fold": "training rows, each predicted by members fitted on earlier ones",
    "validation": "validation rows, used for early stopping",
    "test": "test rows, used for no choice",
}

_NAMES = {"stack": "the stack", "predict_zero": "predicting zero", "predict_mean": "predicting the mean"}
_COLUMNS = ("", "rows", "RMSE", "MAE", "MSE", "R2 against zero", "p against zero", "acts on", "stack is better by")


def show_stack(trained: TrainResult) -> None:
    """Weights, and one table for each part of the rows."""
    manifest = trained.manifest
    about, metrics = manifest.stack, manifest.metrics
    for member in trained.members:
        outcome = f"{member.seconds:.1f} s" if member.ok else f"failed: {member.failure}"
        output.print_line(f"{member.model}: {outcome}")
    strength = "" if about["strength"] is None else f", strength {about['strength']:g} chosen out of fold"
    output.print_line(f"combined by {about['method']}{strength}, on {about['rows']['out_of_fold']:,} rows out of fold")
    if about["weights"] is not None:
        weights = ", ".join(f"{name} {weight:+.3f}" for name, weight in about["weights"].items())
        output.print_line(f"weights: {weights}")
    for part, what in _PARTS.items():
        rows = {name: parts[part] for name, parts in metrics.items() if part in parts}
        if rows:
            better = about["improvement"][part]
            show_returns(f"Returns in percent, {what}", rows, better, synthetic=manifest.synthetic)
    output.print_line(
        "p: Diebold-Mariano, two-sided, squared errors; R2 above 0 is better than predicting zero.\n"
        f"acts where the predicted return exceeds a round trip's cost, {about['round_trip']:.2%}"
    )


def show_returns(
    title: str, rows: Mapping[str, Mapping[str, Any]], better: Mapping[str, float | None], *, synthetic: bool
) -> None:
    """Print the table.

    Args:
        title: of the table.
        rows: forecaster -> figures, errors in percent.
        better: forecaster -> by how much less the stack's RMSE is, a fraction.
        synthetic: mark it.
    """
    cells = [_row(name, figures, better.get(name)) for name, figures in rows.items()]
    output.print_rows(title, _COLUMNS, cells, synthetic=synthetic)


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
