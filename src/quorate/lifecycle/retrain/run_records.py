"""The record of a run from its beginning to its end."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from quorate.core.errors import BundleError, DataError, QuorateError, WorkerError
from quorate.core.settings import Settings
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.lifecycle.retrain.notice import send_notice
from quorate.lifecycle.retrain.run_log import RetrainRun, RunLog
from quorate.lifecycle.retrain.schedule import next_run

_log = logging.getLogger(__name__)


def require_champion(store: BundleStore) -> str:
    """The id of the champion.

    Raises:
        BundleError: there is none.
    """
    champion = store.champion() if store.folder.is_dir() else None
    if champion is None:
        raise BundleError(
            f"retrain the champion of {store.folder}",
            found="no champion",
            expected="a folder of bundles with a champion, whose settings and markets are used",
            remedy="Train one with quorate train, and promote it.",
        )
    return champion


def begin_run(
    log: RunLog, champion: str, settings: Settings, clock: Callable[[], int], *, scheduled: bool
) -> RetrainRun:
    """The record of the run: of the one that was killed, or a new one.

    Raises:
        WorkerError: a scheduled run that was killed too often.
    """
    runs = log.runs()
    last = runs[-1] if runs else None
    if last is not None and last.state == "running":
        same = champion in (last.champion, last.bundle)
        if same and last.attempts < settings.retrain.attempts:
            _log.warning("run %d of retraining ended in the stage %s; it continues", last.number, last.stage)
            return log.write(replace(last, attempts=last.attempts + 1))
        found = (
            f"it was killed {last.attempts} times, at last in the stage {last.stage}"
            if same
            else f"it was killed in the stage {last.stage}, and the champion has changed since"
        )
        given_up = WorkerError(
            f"finish run {last.number} of retraining",
            found=found,
            expected=f"an end within {settings.retrain.attempts} attempts",
            remedy="Where the system ends programs for their memory, train on fewer markets or a shorter span.",
        )
        record_failure(log, last, given_up, settings, clock)
        if scheduled and same:
            raise given_up
    why = "on schedule" if scheduled else "on request"
    return log.write(RetrainRun(log.next_number(), clock(), why, champion))


def record_failure(
    log: RunLog, run: RetrainRun, error: Exception, settings: Settings, clock: Callable[[], int]
) -> None:
    """Close the record of a run that an error ended, and tell the webhook. The error itself is raised by the caller."""
    reason = str(error) if isinstance(error, QuorateError) else f"an internal error ({type(error).__name__}: {error})"
    failed = replace(run, state="failed", reason=reason, ended=clock())
    with suppress(QuorateError):  # an unreadable schedule is an error of its own, at the next look at it
        failed = with_next(failed, log, settings)
    try:
        log.write(failed)
    except DataError as unwritten:
        _log.error("run %d of retraining failed, and its record could not be written: %s", run.number, unwritten)
    send_notice(failed, log.folder.parent, settings.notify)


def with_next(run: RetrainRun, log: RunLog, settings: Settings) -> RetrainRun:
    """The record with the time of the next run.

    Raises:
        SettingsError, MissingExtraError: a schedule that cannot be read.
    """
    earlier = [each for each in log.runs() if each.number < run.number]
    return replace(run, planned=next_run(settings.retrain, [*earlier, run], run.started).time)
