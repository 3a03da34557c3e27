"""What `quorate train --recipe stack` says: every forecaster beside predicting zero and the mean, on the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from quorate.cli import output

if TYPE_CHECKING:
    from quorate.core.settings import EvaluationSettings
    from quorate.core.types import FloatArray, IntArray
    from quorate.ensemble.train import Trained

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

    from quorate.evaluation.regression import return_figures as judge
    from quorate.evaluation.significance import TimeBlocks

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
            output.print_rows(
                f"Returns in percent, {what}",
                ("", "rows", "RMSE", "MAE", "MSE", "R2 against zero", "p against zero", "stack is better by"),
                [_row(name, figures, better.get(name)) for name, figures in rows.items()],
                synthetic=manifest.synthetic,
            )
    output.print_line(
        "p: Diebold-Mariano, two-sided, squared errors; R2 above 0 is better than predicting zero.\n"
        f"acts where the predicted return exceeds a round trip's cost, {about['round_trip']:.2%}"
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
        _number(better, "+.2%"),
    )


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
