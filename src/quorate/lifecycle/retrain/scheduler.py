"""Waits for the schedule and does each run in a process of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from quorate.core.clock import format_ms, now_ms
from quorate.core.errors import QuorateError
from quorate.core.settings import Settings
from quorate.lifecycle.retrain.child import run_in_child
from quorate.lifecycle.retrain.run_log import RunLog
from quorate.lifecycle.retrain.schedule import PlannedRun
from quorate.lifecycle.retrain.status import planned_run

#: Does one run of the schedule: folder of bundles, folder of candles, exchange, stop; returns an exit code.
Runner = Callable[[Path, Path, str | None, threading.Event], int]

_log = logging.getLogger(__name__)


class RetrainScheduler:
    """Retrains the champion of a folder whenever the schedule says so.

    After a downtime, a run that was missed is done at once, and however many were missed, it is one.

    Args:
        bundles: folder of bundles.
        data: folder of candles.
        exchange: to download the newest candles from; None for those that are there.
        settings: of the schedule.
        clock: returns the current time in ms UTC.
        wait: waits so many seconds for an event, and returns whether it is set.
        run: does one run.
        look_s: longest time between two looks at the schedule: another process may have retrained, or the clock may
            have changed.

    Raises:
        SettingsError: not a schedule.
        MissingExtraError: cronsim is not installed.
        BundleError: a damaged pointer of the champion.
    """

    def __init__(
        self,
        bundles: str | Path,
        data: str | Path,
        *,
        exchange: str | None = None,
        settings: Settings,
        clock: Callable[[], int] = now_ms,
        wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
        run: Runner = run_in_child,
        look_s: float = 60.0,
    ) -> None:
        self.bundles, self.data, self.exchange, self.settings = Path(bundles), Path(data), exchange, settings
        self._clock, self._wait, self._run, self._look_s = clock, wait, run, look_s
        self._stop = threading.Event()
        self.planned()  # a schedule that cannot be read is an error now, not on Monday

    def planned(self) -> PlannedRun:
        """The next run; errors as of the class."""
        return planned_run(self.bundles, self.settings, self._clock())

    def stop(self) -> None:
        """End after the look at hand; a run at work is ended, and continues with the next one."""
        self._stop.set()

    def follow(self, told: Callable[[str], None] = lambda _: None) -> None:
        """Do the runs of the schedule until `stop`.

        An error of a run is on its record; one of the schedule or the folder is logged, and looked at again.

        Args:
            told: called with a line about each run, and about the next.
        """
        announced: int | None = None
        while not self._stop.is_set():
            try:
                planned = self.planned()
            except QuorateError as error:
                _log.error("the schedule of retraining: %s", error)
                self._wait(self._stop, self._look_s)
                continue
            left = (planned.time - self._clock()) / 1000
            if left <= 0 and RunLog(self.bundles).at_work():
                self._wait(self._stop, self._look_s)  # another process is retraining
                continue
            if left <= 0:
                self._do(planned, told)
                announced = None
                continue
            if planned.time != announced:
                announced = planned.time
                told(f"next retraining: {format_ms(planned.time)} UTC, {planned.why}")
            self._wait(self._stop, min(self._look_s, left))

    def _do(self, planned: PlannedRun, told: Callable[[str], None]) -> None:
        before = RunLog(self.bundles).runs()
        told(f"retraining, planned for {format_ms(planned.time)} UTC: {planned.why}")
        code = self._run(self.bundles, self.data, self.exchange, self._stop)
        if self._stop.is_set():
            return
        runs = RunLog(self.bundles).runs()
        if runs == before:
            # Nothing is on record, as where another process is at work or the disk is full: not at once again.
            _log.error("a run of retraining ended with %d before it began", code)
            self._wait(self._stop, self._look_s)
            return
        from quorate.lifecycle.retrain.result import verdict_line

        told(f"retraining, {verdict_line(runs[-1])}")
