"""The schedule of retraining: tables of moments in UTC, catching up after a downtime, and retries."""

import pytest

from quorate.core.clock import DAY_MS, HOUR_MS, format_ms, parse_ms
from quorate.core.errors import SettingsError
from quorate.core.settings import DriftSettings, RetrainSettings
from quorate.lifecycle.retrain.run_log import RetrainRun
from quorate.lifecycle.retrain.schedule import early_run, newest_fire, next_fire, next_run
from stubs.drift_checks import DRIFTING, QUIET

WEEKLY = RetrainSettings().cron


def run(number, started, state="kept", ended=None, attempts=1):
    started = parse_ms(started)
    return RetrainRun(
        number, started, "on schedule", "c", state=state, attempts=attempts, ended=ended and parse_ms(ended)
    )


@pytest.mark.parametrize(
    ("cron", "moment", "before", "after"),
    [
        # 2026-03-02 is a Monday. Clocks that change on 2026-03-29 in Europe change nothing in UTC.
        (WEEKLY, "2026-03-02T02:59:59", "2026-02-23 03:00", "2026-03-02 03:00"),
        (WEEKLY, "2026-03-02T03:00", "2026-03-02 03:00", "2026-03-09 03:00"),
        (WEEKLY, "2026-03-02T03:00:01", "2026-03-02 03:00", "2026-03-09 03:00"),
        (WEEKLY, "2026-03-29T01:30", "2026-03-23 03:00", "2026-03-30 03:00"),
        ("30 2 * * *", "2026-03-29T02:30", "2026-03-29 02:30", "2026-03-30 02:30"),
        ("0 0 1 * *", "2026-02-28T23:59", "2026-02-01 00:00", "2026-03-01 00:00"),
        ("0 0 29 2 *", "2026-03-01", "2024-02-29 00:00", "2028-02-29 00:00"),
        ("*/15 * * * *", "2026-03-02T10:07", "2026-03-02 10:00", "2026-03-02 10:15"),
        ("0 12 * * 5L", "2026-03-02", "2026-02-27 12:00", "2026-03-27 12:00"),
    ],
)
def test_times_of_a_schedule(cron, moment, before, after):
    now = parse_ms(moment)
    assert (format_ms(newest_fire(cron, now)), format_ms(next_fire(cron, now))) == (before, after)


def test_the_two_sides_of_a_moment_agree():
    fire = next_fire(WEEKLY, parse_ms("2026-03-03"))
    assert newest_fire(WEEKLY, fire - 1) == fire - 7 * 24 * HOUR_MS
    assert newest_fire(WEEKLY, fire) == newest_fire(WEEKLY, fire + 1) == fire


@pytest.mark.parametrize("cron", ["61 * * * *", "0 0 * * 9", "0 0 31 2 *", "monday 3 o'clock at night"])
def test_what_is_no_schedule_is_an_error(cron):
    with pytest.raises(SettingsError, match=r"retrain\.cron"):
        next_fire(cron, 0)


@pytest.mark.parametrize("cron", ["", "0 3 * *", "0 0 3 * * 1"])
def test_settings_refuse_another_number_of_fields(cron):
    with pytest.raises(SettingsError, match=r"retrain\.cron"):
        RetrainSettings(cron=cron)


MONDAYS = ("2026-03-02", "2026-03-09", "2026-03-16")


@pytest.mark.parametrize(
    ("runs", "planned", "why"),
    [
        # Nothing has run: from the end of the champion's training span on, here a Sunday.
        ([], "2026-03-02 03:00", "the first"),
        ([run(1, "2026-03-02T03:00:05")], "2026-03-09 03:00", "on schedule"),
        ([run(1, "2026-03-02T03:00:05", "promoted")], "2026-03-09 03:00", "on schedule"),
        # One run on a Wednesday answers all that were missed before it.
        ([run(1, "2026-03-02T03:00:05"), run(2, "2026-03-25T11:00")], "2026-03-30 03:00", "on schedule"),
        # By hand on Sunday: Monday's still comes.
        ([run(1, "2026-03-08T12:00")], "2026-03-09 03:00", "on schedule"),
        # Killed: at once.
        ([run(1, "2026-03-02T03:00:05", "running")], "2026-03-02 03:00", "continues run 1"),
        # Failed: an hour after its end.
        ([run(1, "2026-03-02T03:00", "failed", "2026-03-02T03:20")], "2026-03-02 04:20", "attempt 2 of 3"),
        (
            [
                run(1, "2026-03-02T03:00", "failed", "2026-03-02T03:20"),
                run(2, "2026-03-02T04:20", "failed", "2026-03-02T04:21"),
            ],
            "2026-03-02 05:21",
            "attempt 3 of 3",
        ),
        # Three times, in runs or in attempts that were killed: not before the next time of the schedule.
        (
            [run(n, f"2026-03-02T0{n + 2}:00", "failed", f"2026-03-02T0{n + 2}:01") for n in (1, 2, 3)],
            "2026-03-09 03:00",
            "after 3 attempts",
        ),
        (
            [run(1, "2026-03-02T03:00", "failed", "2026-03-02T09:00", attempts=3)],
            "2026-03-09 03:00",
            "after 3 attempts",
        ),
        # Those of the week before do not count.
        (
            [
                *[run(n, f"2026-03-02T0{n + 2}:00", "failed", f"2026-03-02T0{n + 2}:01") for n in (1, 2, 3)],
                run(4, "2026-03-09T03:00", "failed", "2026-03-09T03:10"),
            ],
            "2026-03-09 04:10",
            "attempt 2 of 3",
        ),
        (
            [run(1, "2026-03-02T03:00", "failed", "2026-03-02T03:01"), run(2, "2026-03-02T04:01")],
            "2026-03-09 03:00",
            "on schedule",
        ),
    ],
)
def test_the_next_run(runs, planned, why):
    found = next_run(RetrainSettings(), runs, parse_ms("2026-03-01T20:00"))
    assert format_ms(found.time) == planned
    assert why in found.why


@pytest.mark.parametrize("weeks", [1, 2, 10, 40])
def test_a_downtime_of_any_length_is_caught_up_by_one_run(weeks):
    last = parse_ms("2026-03-02T03:00")
    back = last + weeks * 7 * 24 * HOUR_MS + 5 * HOUR_MS
    runs = [RetrainRun(1, last, "on schedule", "c", state="kept")]
    done = 0
    while next_run(RetrainSettings(), runs, 0).time <= back:
        runs.append(RetrainRun(len(runs) + 1, back, "on schedule", "c", state="kept"))
        done += 1
    assert done == 1


EARLY = DriftSettings(action="retrain", valid_days=3.0)
CHECKED = DRIFTING.checked_at


def before(days, state="kept"):
    return RetrainRun(1, CHECKED - round(days * DAY_MS), "on schedule", "c", state=state)


@pytest.mark.parametrize(
    ("check", "runs", "settings", "early"),
    [
        (DRIFTING, (), EARLY, True),
        (DRIFTING, (before(3.0),), EARLY, True),
        (DRIFTING, (before(2.9),), EARLY, False),
        (DRIFTING, (before(9, "running"),), EARLY, False),
        (DRIFTING, (before(9, "failed"),), EARLY, True),
        (DRIFTING, (), DriftSettings(), False),
        (QUIET, (), EARLY, False),
        (None, (), EARLY, False),
    ],
)
def test_a_champion_that_drifts_is_retrained_at_once(check, runs, settings, early):
    found = early_run(check, runs, settings, CHECKED)
    assert (found is not None) == early
    if found is not None:
        assert found.time == CHECKED
        assert "drift" in found.why


def test_an_old_check_plans_nothing():
    assert early_run(DRIFTING, (), EARLY, CHECKED + 3 * DAY_MS) is not None
    assert early_run(DRIFTING, (), EARLY, CHECKED + 3 * DAY_MS + 1) is None
