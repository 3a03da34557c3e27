"""The scheduler by an injected clock, and its child process for real."""

import json
import threading
from dataclasses import replace
from itertools import pairwise

import pytest

from quorate.core.clock import DAY_MS, HOUR_MS, format_ms, parse_ms
from quorate.core.errors import SettingsError
from quorate.core.settings import RetrainSettings
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.lifecycle.retrain.child import run_in_child
from quorate.lifecycle.retrain.run_log import RetrainRun, RunLog
from quorate.lifecycle.retrain.scheduler import RetrainScheduler
from stubs.retraining import SETTINGS, START, synthetic_market

LOOK_S = 6 * 3_600
WEEKLY = replace(SETTINGS, retrain=RetrainSettings())


class Waiting:
    """A scheduler of runs that take an hour each, until a time. Runs fail where their number is listed."""

    def __init__(self, world, until, failing=(), settings=WEEKLY):
        self.world, self.until, self.failing = world, until, set(failing)
        self.log, self.started, self.told = RunLog(world.bundles), [], []
        self.scheduler = RetrainScheduler(
            world.bundles,
            world.bundles,
            settings=settings,
            clock=world.clock,
            wait=self.wait,
            run=self.run,
            look_s=LOOK_S,
        )
        self.scheduler.follow(self.told.append)

    def wait(self, _stop, seconds):
        assert 0 < seconds <= LOOK_S
        self.world.clock.now += round(seconds * 1000)
        if self.world.clock.now >= self.until:
            self.scheduler.stop()
        return False

    def run(self, bundles, _data, _exchange, _stop):
        number, now = self.log.next_number(), self.world.clock.now
        self.started.append(format_ms(now))
        self.world.clock.now += HOUR_MS
        state = "failed" if number in self.failing else "kept"
        self.log.write(
            RetrainRun(number, now, "on schedule", self.world.champion, state, ended=now + HOUR_MS, reason="so it is")
        )
        return 0


def test_a_run_begins_at_each_time_of_the_schedule(world):
    # The champion's training span ends on 2024-02-29, a Thursday; the clock shows the Friday a week later.
    found = Waiting(world, parse_ms("2024-03-26"))
    assert found.started == ["2024-03-08 02:00", "2024-03-11 03:00", "2024-03-18 03:00", "2024-03-25 03:00"]
    # The first was missed, on Monday the 4th, and is caught up at once.
    assert found.told[0] == "retraining, planned for 2024-03-04 03:00 UTC: the first since the champion's training span"
    assert "next retraining: 2024-03-11 03:00 UTC, on schedule" in found.told
    assert "retraining, 2024-03-11 03:00: champion kept: so it is" in found.told


def test_ten_missed_runs_are_one(world):
    RunLog(world.bundles).write(RetrainRun(1, parse_ms("2024-03-04T03:00"), "on schedule", world.champion, "kept"))
    world.clock.now = parse_ms("2024-05-15T12:00")
    assert Waiting(world, parse_ms("2024-05-21")).started == ["2024-05-15 12:00", "2024-05-20 03:00"]


def test_a_failed_run_is_tried_again_three_times_and_then_next_week(world):
    world.clock.now = parse_ms("2024-03-04T02:00")
    found = Waiting(world, parse_ms("2024-03-12"), failing={1, 2, 3})
    # Each takes an hour, and the next attempt comes an hour after its end.
    assert found.started == ["2024-03-04 03:00", "2024-03-04 05:00", "2024-03-04 07:00", "2024-03-11 03:00"]


def test_a_clock_that_goes_back_starts_nothing_twice(world):
    first = Waiting(world, parse_ms("2024-03-12"))
    world.clock.now = parse_ms("2024-03-10")
    assert Waiting(world, parse_ms("2024-03-12")).started == []
    assert len(first.started) == 2


def test_a_run_that_leaves_no_record_is_not_started_again_at_once(world, caplog):
    starts = []

    def run(*_):
        starts.append(world.clock.now)
        return 1

    def wait(_stop, seconds):
        world.clock.now += round(seconds * 1000)
        if len(starts) == 3:
            scheduler.stop()
        return False

    scheduler = RetrainScheduler(
        world.bundles, world.bundles, settings=WEEKLY, clock=world.clock, wait=wait, run=run, look_s=600
    )
    scheduler.follow()
    assert [(later - earlier) / 1000 for earlier, later in pairwise(starts)] == [600, 600]
    assert "ended with 1 before it began" in caplog.text


def test_while_another_process_retrains_nothing_is_started(world):
    held, release, started = threading.Event(), threading.Event(), []

    def hold():
        with RunLog(world.bundles).running():
            held.set()
            release.wait(20)

    def wait(_stop, seconds):
        world.clock.now += round(seconds * 1000)
        if not release.is_set():
            assert started == []
            release.set()
            other.join()
        return False

    def run(*_):
        started.append(world.clock.now)
        scheduler.stop()
        return 0

    other = threading.Thread(target=hold)
    other.start()
    held.wait(5)
    scheduler = RetrainScheduler(
        world.bundles, world.bundles, settings=WEEKLY, clock=world.clock, wait=wait, run=run, look_s=60
    )
    scheduler.follow()
    assert len(started) == 1


def test_a_damaged_pointer_is_said_and_looked_at_again(world, caplog):
    pointer = world.bundles / "champion"
    content, looks, started = pointer.read_text(), [], []

    def run(*_):
        started.append(world.clock.now)
        scheduler.stop()
        return 0

    def wait(_stop, seconds):
        looks.append(seconds)
        world.clock.now += round(seconds * 1000)
        if len(looks) == 2:
            pointer.write_text(content)
        return False

    scheduler = RetrainScheduler(
        world.bundles, world.bundles, settings=WEEKLY, clock=world.clock, wait=wait, run=run, look_s=60
    )
    pointer.write_text("none\n")
    scheduler.follow()
    assert (len(looks), len(started)) == (2, 1)
    assert "the schedule of retraining" in caplog.text


def test_a_schedule_that_cannot_be_read_is_an_error_at_once(world):
    wrong = replace(SETTINGS, retrain=RetrainSettings(cron="99 * * * *"))
    with pytest.raises(SettingsError, match=r"retrain\.cron"):
        RetrainScheduler(world.bundles, world.bundles, settings=wrong)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Candles of 68 days, which the real clock sees as they are."""
    synthetic_market(68).write(tmp_path / "data")
    for name, value in {"BUNDLE__EVIDENCE": "50", "POLICY__NAME": "classic", "POLICY__REFIT": "none"}.items():
        monkeypatch.setenv(f"QUORATE_{name}", value)
    return tmp_path / "data"


def test_a_child_retrains_and_leaves_its_record(world, folder):
    assert run_in_child(world.bundles, folder, None, threading.Event()) == 0
    (found,) = RunLog(world.bundles).runs()
    assert (found.state, found.why, found.bundle) == ("kept", "on schedule", found.bundle)
    assert found.span[1] == START + 68 * DAY_MS
    assert BundleStore(world.bundles).champion() == world.champion
    assert found.bundle in BundleStore(world.bundles).ids()


def test_a_child_that_fails_says_so(world, tmp_path):
    assert run_in_child(world.bundles, tmp_path / "none", None, threading.Event()) == 1
    (found,) = RunLog(world.bundles).runs()
    assert found.state == "failed"


def test_a_child_is_ended_when_its_parent_stops(world, folder):
    stop = threading.Event()
    timer = threading.Timer(0.1, stop.set)
    timer.start()
    assert run_in_child(world.bundles, folder, None, stop) < 0
    timer.join()
    assert not RunLog(world.bundles).at_work()


def test_the_parent_imports_nothing_that_trains():
    import subprocess
    import sys

    code = (
        "import sys; from quorate.lifecycle.retrain import RetrainScheduler, retraining_status; "
        "import quorate.lifecycle.retrain.child, json; "
        "heavy = ('torch', 'xgboost', 'lightgbm', 'sklearn', 'scipy', 'pandas'); "
        "print(json.dumps([name for name in heavy if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
