"""Checks for drift again and again, by an injected clock and an injected check."""

import threading
from dataclasses import replace

import pytest

from quorate.core.clock import DAY_MS, HOUR_MS
from quorate.core.settings import ServeSettings, Settings
from quorate.evaluation.drift.stored_check import check_path, write_check
from quorate.lifecycle.drift.drift_scheduler import DriftScheduler
from quorate.lifecycle.retrain.run_log import RunLog
from stubs.drift_checks import QUIET

DAILY = replace(Settings(), serve=ServeSettings(drift_hours=24.0))
START = QUIET.checked_at


class Watched:
    """A folder whose bundle is checked by a script until a time; waiting moves the clock."""

    def __init__(self, folder, days, run=None, look_s=3_600.0):
        self.folder, self.now, self.until = folder, START, START + days * DAY_MS
        self.checks, self.told = [], []
        self._script = run or self.write
        self.scheduler = DriftScheduler(
            lambda: (folder / QUIET.bundle, QUIET.bundle),
            folder,
            settings=DAILY,
            clock=lambda: self.now,
            wait=self.wait,
            run=self.run,
            look_s=look_s,
        )

    def follow(self):
        (self.folder / QUIET.bundle).mkdir(exist_ok=True)
        (self.folder / QUIET.bundle / "manifest.json").touch()
        self.scheduler.follow(self.told.append)
        return [(time - START) / HOUR_MS for time in self.checks]

    def wait(self, _stop, seconds):
        assert 0 < seconds <= 3_600
        self.now += round(seconds * 1000)
        if self.now >= self.until:
            self.scheduler.stop()
        return False

    def run(self, bundle, _data, _exchange, _stop):
        assert bundle == self.folder / QUIET.bundle
        self.checks.append(self.now)
        return self._script()

    def write(self):
        write_check(self.folder, replace(QUIET, checked_at=self.now))
        return 0


def test_a_bundle_that_was_never_checked_is_checked_at_once_and_then_daily(tmp_path):
    watched = Watched(tmp_path, 3.5)
    assert watched.follow() == [0, 24, 48, 72]
    assert watched.told[0].startswith("check for drift done, ")


def test_a_check_by_another_process_counts(tmp_path):
    write_check(tmp_path, replace(QUIET, checked_at=START - 20 * HOUR_MS))
    assert Watched(tmp_path, 1.5).follow() == [4, 28]


def test_a_failed_check_is_tried_again_within_an_hour(tmp_path):
    watched = Watched(tmp_path, 0.2, run=lambda: 1)
    assert watched.follow() == [0, 1, 2, 3, 4]
    assert "failed with 1" in watched.told[0]


def test_a_damaged_check_is_replaced(tmp_path, caplog):
    write_check(tmp_path, replace(QUIET, checked_at=START))
    check_path(tmp_path, QUIET.bundle).write_text("{")
    assert Watched(tmp_path, 1.5).follow() == [0, 24]
    assert "the next check for drift" in caplog.text


def test_a_check_waits_for_a_retraining(tmp_path):
    held, release = threading.Event(), threading.Event()

    def hold():
        with RunLog(tmp_path).running():
            held.set()
            release.wait(20)

    other = threading.Thread(target=hold)
    other.start()
    held.wait(5)
    watched = Watched(tmp_path, 0.5)
    step = watched.wait

    def wait(stop, seconds):
        if not release.is_set():
            assert watched.checks == []
            release.set()
            other.join()
        return step(stop, seconds)

    watched.scheduler._wait = wait
    assert watched.follow() == [1]


def test_a_check_that_is_stopped_tells_nothing(tmp_path):
    watched = Watched(tmp_path, 1, run=lambda: watched.scheduler.stop() or -15)
    assert watched.follow() == [0]
    assert watched.told == []


@pytest.mark.parametrize("module", ["quorate.lifecycle.drift.drift_scheduler", "quorate.lifecycle.drift.child"])
def test_what_waits_imports_no_library_that_checks(module):
    import subprocess
    import sys

    heavy = "[name for name in ('river', 'scipy', 'pandas', 'sklearn') if name in sys.modules]"
    code = f"import sys, {module}; print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
