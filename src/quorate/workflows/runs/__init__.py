"""What trainings, evaluations and backtests share: a bundle's run over a span, figures of members, the trial log."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.workflows.runs.bundle_run import BundleRun as BundleRun
    from quorate.workflows.runs.bundle_run import run_bundle as run_bundle
    from quorate.workflows.runs.trials import RunRecord as RunRecord
    from quorate.workflows.runs.trials import TrialRecorder as TrialRecorder
else:
    __getattr__, __all__ = deferred(
        __name__, {"bundle_run": "BundleRun run_bundle", "trials": "RunRecord TrialRecorder"}
    )
