"""Evaluate a stack: predicted returns beside predicting zero and the mean, decisions and trades beside baselines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from quorate.core.progress import Progress, silent
from quorate.workflows.results import Evaluation

if TYPE_CHECKING:
    from quorate.core.settings import EvaluationSettings
    from quorate.core.types import FloatArray, IntArray
    from quorate.workflows.bundle_run import BundleRun
    from quorate.workflows.trials import TrialRecorder


def evaluate_stack(run: BundleRun, recorder: TrialRecorder, progress: Progress = silent) -> Evaluation:
    """Judge a stack's run and record it.

    Args:
        run: a stack's decisions and trades.
        recorder: of the trial log and the provenance.
        progress: of scoring.
    """
    from quorate.evaluation.evaluate_stack import stacked_figures

    # Of a series the oldest bundle's, which all bars lie after.
    oldest = run.bundle.parts(next(iter(run.frames.values())))[0][0]
    mean = oldest.manifest.stack["mean_return"]
    settings = run.decision_settings
    figures = stacked_figures(run.frames, run.result, run.setup, mean, settings)
    for group in (figures["members"], {"": figures["ensemble"]}, figures["baselines"]):
        for row in group.values():
            row.update(in_percent(row) if "rmse" in row else {})
    progress("scoring", 1, 1)
    recorded = recorder.record([run.configuration], run.setup, run.choices, settings)
    return Evaluation({**run.header, **figures, **recorded}, run.frames, run.result)


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
