"""The state of a folder's retraining."""

from __future__ import annotations

import logging
from pathlib import Path

from quorate.core.clock import now_ms
from quorate.core.errors import DataError, QuorateError
from quorate.core.settings import Settings
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.evaluation.drift.drift_check import DriftCheck
from quorate.evaluation.drift.stored_check import read_check
from quorate.lifecycle.retrain.result import RetrainStatus
from quorate.lifecycle.retrain.run_log import RunLog
from quorate.lifecycle.retrain.schedule import PlannedRun, early_run, next_run
from quorate.workflows.inputs.arguments import folder_of, settings_of

_log = logging.getLogger(__name__)


def planned_run(bundles: Path, settings: Settings, now: int | None = None) -> PlannedRun:
    """The next run by the schedule of the settings; by `drift.action`, at once where the champion drifts.

    Args:
        bundles: folder of bundles.
        settings: schedule, and what follows from drift.
        now: current time in ms; None for the clock.

    Raises:
        BundleError: no champion, or a damaged pointer.
        SettingsError: not a schedule.
        MissingExtraError: cronsim is not installed.
    """
    store = BundleStore(bundles)
    runs, champion = RunLog(bundles).runs(), store.champion()
    trained = 0 if runs or champion is None else store.manifest(champion).training_end
    planned = next_run(settings.retrain, runs, trained)
    early = early_run(_newest_check(bundles, champion), runs, settings.drift, now_ms() if now is None else now)
    return planned if early is None or planned.time <= early.time else early


def _newest_check(bundles: Path, champion: str | None) -> DriftCheck | None:
    """The newest check of the champion for drift; one that cannot be read is logged, and holds up no schedule."""
    try:
        return None if champion is None else read_check(bundles, champion)
    except DataError as error:
        _log.error("retraining stays on schedule: %s", error)
        return None


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
