"""When a bundle is retrained: a cron schedule in UTC, one run after a downtime of any length, and few retries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from quorate.core.clock import DAY_MS, HOUR_MS
from quorate.core.errors import MissingExtraError, SettingsError
from quorate.evaluation.drift.stored_check import retraining_reason
from quorate.lifecycle.retrain.run_log import RetrainRun

if TYPE_CHECKING:
    from cronsim import CronSim

    from quorate.core.sections.drift import DriftSettings
    from quorate.core.sections.retrain import RetrainSettings
    from quorate.evaluation.drift.drift_check import DriftCheck


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """The next run.

    Attributes:
        time: ms UTC; in the past where it is overdue.
        why: for the record.
    """

    time: int
    why: str


def next_fire(cron: str, after: int) -> int:
    """First time of a schedule after a moment, both in ms UTC.

    Raises:
        SettingsError: not a schedule, or one that never comes.
        MissingExtraError: cronsim is not installed.

    >>> from quorate.core.clock import format_ms, parse_ms
    >>> format_ms(next_fire("0 3 * * 1", parse_ms("2026-03-02T03:00")))  # a Monday
    '2026-03-09 03:00'
    """
    return _first(cron, datetime.fromtimestamp(after / 1000, UTC), reverse=False)


def newest_fire(cron: str, now: int) -> int:
    """Last time of a schedule at or before a moment, both in ms UTC; errors as `next_fire`.

    >>> from quorate.core.clock import format_ms, parse_ms
    >>> format_ms(newest_fire("0 3 * * 1", parse_ms("2026-03-09T03:00")))
    '2026-03-09 03:00'
    """
    second = datetime.fromtimestamp(now // 1000, UTC)
    return _first(cron, second + timedelta(seconds=1), reverse=True)


def next_run(settings: RetrainSettings, runs: Sequence[RetrainRun], trained_until: int) -> PlannedRun:
    """The next run of the schedule.

    A run that judged a bundle answers every time of the schedule before it, so that a downtime is caught up by one run.
    A failed one is tried again after `retrain.retry_hours`, at most `retrain.attempts` times for each time of the
    schedule; one that was killed continues at once.

    Args:
        settings: the schedule and its retries.
        runs: all so far, oldest first.
        trained_until: end of the champion's training span, ms: what the schedule counts from before the first run.

    Raises:
        SettingsError, MissingExtraError: as `next_fire`.
    """
    cron = settings.cron
    if not runs:
        return PlannedRun(next_fire(cron, trained_until), "the first since the champion's training span")
    last = runs[-1]
    if last.state == "running":
        return PlannedRun(last.started, f"continues run {last.number}, which did not end")
    if last.state != "failed":
        return PlannedRun(next_fire(cron, last.started), "on schedule")
    fire = newest_fire(cron, last.started)
    failed = 0
    for run in reversed(runs):
        if run.state != "failed" or run.started < fire:
            break
        failed += run.attempts
    if failed >= settings.attempts:
        return PlannedRun(next_fire(cron, last.started), f"on schedule, after {failed} attempts that failed")
    retry = (last.started if last.ended is None else last.ended) + round(settings.retry_hours * HOUR_MS)
    return PlannedRun(retry, f"attempt {failed + 1} of {settings.attempts}, after run {last.number} failed")


def early_run(
    check: DriftCheck | None, runs: Sequence[RetrainRun], settings: DriftSettings, now: int
) -> PlannedRun | None:
    """A run before its time because the champion drifts, where `drift.action` asks for it; else None.

    There is none while a run is at work, and none within `drift.valid_days` of the last one: where the gate keeps the
    champion, it is not trained against every day.

    Args:
        check: the newest of the champion.
        runs: all so far, oldest first.
        settings: of the watch.
        now: ms.
    """
    reason = retraining_reason(check, settings, now)
    if check is None or not reason:
        return None
    if runs and (runs[-1].state == "running" or now - runs[-1].started < settings.valid_days * DAY_MS):
        return None
    return PlannedRun(check.checked_at, reason)


def _first(cron: str, moment: datetime, *, reverse: bool) -> int:
    try:
        return round(next(_schedule(cron, moment, reverse=reverse)).timestamp() * 1000)
    except StopIteration as error:
        raise SettingsError(
            "use the setting retrain.cron", found=f"{cron!r}, which never comes", expected="a schedule of real dates"
        ) from error


def _schedule(cron: str, moment: datetime, *, reverse: bool) -> CronSim:
    try:
        from cronsim import CronSim, CronSimError
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "read the schedule of retraining",
            found=str(error),
            expected="cronsim",
            remedy="Install it with: pip install 'quorate[lifecycle]'.",
        ) from error
    try:
        return CronSim(cron, moment, reverse=reverse)
    except CronSimError as error:
        raise SettingsError(
            "use the setting retrain.cron",
            found=f"{cron!r} ({error})",
            expected="minute, hour, day, month and weekday in UTC, such as '0 3 * * 1' for Mondays at 03:00",
        ) from error
