"""The state of a folder's retraining."""

from __future__ import annotations

from pathlib import Path

from quorate.core.errors import QuorateError
from quorate.core.settings import Settings
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.lifecycle.retrain.result import RetrainStatus
from quorate.lifecycle.retrain.run_log import RunLog
from quorate.lifecycle.retrain.schedule import PlannedRun, next_run
from quorate.workflows.inputs.arguments import folder_of, settings_of


def planned_run(bundles: Path, settings: Settings) -> PlannedRun:
    """The next run by the schedule of the settings.

    Raises:
        BundleError: no champion, or a damaged pointer.
        SettingsError: not a schedule.
        MissingExtraError: cronsim is not installed.
    """
    store = BundleStore(bundles)
    runs, champion = RunLog(bundles).runs(), store.champion()
    trained = 0 if runs or champion is None else store.manifest(champion).training_end
    return next_run(settings.retrain, runs, trained)


def retraining_status(bundles: str | Path, *, settings: Settings | None = None) -> RetrainStatus:
    """The runs of a folder, whether one is at work, and the next one.

    Args:
        bundles: folder of bundles.
        settings: whose schedule is the plan; None for what the last run planned.

    Raises:
        ArgumentError: arguments of the wrong type.
        BundleError: no such folder, or a damaged pointer of the champion.
        SettingsError, MissingExtraError: a schedule that cannot be read.
    """
    folder = folder_of("bundles", bundles)
    settings = None if settings is None else settings_of(settings)
    log, store = RunLog(folder), BundleStore(folder)
    store.ids()
    runs = log.runs()
    champion = _champion(store)
    planned: int | None = None
    why = ""
    if settings is not None and champion is not None:
        found = planned_run(folder, settings)
        planned, why = found.time, found.why
    elif runs and runs[-1].planned is not None:
        planned, why = runs[-1].planned, "as the last run planned"
    return RetrainStatus(folder, champion, runs, log.at_work(), planned, why)


def _champion(store: BundleStore) -> str | None:
    try:
        return store.champion()
    except QuorateError:
        return None  # `bundle list` says why
