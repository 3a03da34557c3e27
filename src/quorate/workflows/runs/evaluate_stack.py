"""Evaluate a stack: predicted returns beside predicting zero and the mean, decisions and trades beside baselines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.core.progress import Progress, silent
from quorate.workflows.results import Evaluation
from quorate.workflows.runs.member_figures import in_percent

if TYPE_CHECKING:
    from quorate.workflows.runs.bundle_run import BundleRun
    from quorate.workflows.runs.trials import Recorded, TrialRecorder


def evaluate_stack(run: BundleRun, recorder: TrialRecorder | Recorded, progress: Progress = silent) -> Evaluation:
    """Evaluate a stack's run and record it.

    Args:
        run: a stack's decisions and trades.
        recorder: of the trial log and the provenance.
        progress: of scoring.
    """
    from quorate.evaluation.evaluate_stack import stack_figures
    from quorate.evaluation.verdict import with_verdict

    # Of a series the oldest bundle's, which all bars lie after.
    oldest = run.bundle.parts(next(iter(run.frames.values())))[0][0]
    mean = oldest.manifest.stack["mean_return"]
    settings = run.decision_settings
    judged = None if run.judged is None else run.result
    figures = stack_figures(run.frames, run.ordinary, run.setup, mean, settings, judged)
    for group in (figures["members"], {"": figures["ensemble"]}, figures["baselines"]):
        for row in group.values():
            row.update(in_percent(row) if "rmse" in row else {})
    progress("scoring", 1, 1)
    traded = [run.ordinary_configuration, *([] if judged is None else [run.configuration])]
    recorded = recorder.record(traded, run.setup, run.choices, settings)
    marked = {"warnings": run.marks} if run.marks else {}
    document = {**run.header, **run.panel_section(), **marked, **figures, **recorded}
    return Evaluation(with_verdict(document), run.frames, run.ordinary, run.setup)
