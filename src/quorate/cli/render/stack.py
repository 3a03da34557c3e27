"""A stack's training as tables: members and stack beside predicting zero and the mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.cli import output
from quorate.cli.render.returns import show_returns

if TYPE_CHECKING:
    from quorate.workflows.results.training import TrainResult

_PARTS = {
    "out_of_fold": "training rows, each predicted by members fitted on earlier ones",
    "validation": "validation rows, used for early stopping",
    "test": "test rows, used for no choice",
}


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
