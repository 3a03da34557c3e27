"""Checks the bundle in use for drift, again and again, each time in a process of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from quorate.core.clock import HOUR_MS, format_ms, now_ms
from quorate.core.errors import DataError
from quorate.core.settings import Settings
from quorate.evaluation.drift.stored_check import read_check
from quorate.lifecycle.drift.child import check_in_child
from quorate.lifecycle.retrain.run_log import RunLog

#: Does one check: folder of the bundle, folder of candles, exchange, stop; returns an exit code.
Checker = Callable[[Path, Path, str | None, threading.Event], int]

# After a failed check the next one comes at the latest after so many hours.
_RETRY_HOURS = 1.0

_log = logging.getLogger(__name__)


class DriftScheduler:
    """Checks the bundle in use every `serve.drift_hours`, counted from the newest check, whoever made it.

    One that was never checked is checked at once. While a retraining is at work, which may download candles into the
    same folder, a check waits.

    Args:
        in_use: returns the folder and the id of the bundle in use.
        data: folder of candles.
        exchange: to download the newest candles from; None for those that are there.
        settings: of the interval.
        clock: returns the current time in ms UTC.
        wait: waits so many seconds for an event, and returns whether it is set.
        run: does one check.
        look_s: longest time between two looks at the newest check.
    """

    def __init__(
        self,
        in_use: Callable[[], tuple[Path, str]],
        data: str | Path,
        *,
        exchange: str | None = None,
        settings: Settings,
        clock: Callable[[], int] = now_ms,
        wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
        run: Checker = check_in_child,
        look_s: float = 60.0,
    ) -> None:
        self.data, self.exchange = Path(data), exchange
        self._in_use = in_use
        self._hours = settings.serve.drift_hours
        self._clock, self._wait, self._run, self._look_s = clock, wait, run, look_s
        self._stop = threading.Event()
        self._not_before = 0  # ms, after a failed check

    def due(self) -> int:
        """Time of the next check in ms; 0 for at once.

        Raises:
            DataError: the newest check cannot be read.
        """
        folder, bundle_id = self._in_use()
        newest = read_check(folder, bundle_id)
        if newest is None:
            return self._not_before
        return max(self._not_before, newest.checked_at + round(self._hours * HOUR_MS))

    def stop(self) -> None:
        """End after the look at hand; a check at work is ended."""
        self._stop.set()

    def follow(self, told: Callable[[str], None] = lambda _: None) -> None:
        """Check until `stop`. A check that failed is logged by its process, and tried again within an hour.

        Args:
            told: called with a line about each check.
        """
        while not self._stop.is_set():
            try:
                left = (self.due() - self._clock()) / 1000
            except DataError as error:
                _log.error("the next check for drift: %s", error)
                left = (self._not_before - self._clock()) / 1000
            if left > 0 or RunLog(self._in_use()[0].parent).at_work():
                self._wait(self._stop, self._look_s if left <= 0 else min(self._look_s, left))
                continue
            self._check(told)

    def _check(self, told: Callable[[str], None]) -> None:
        code = self._run(self._in_use()[0], self.data, self.exchange, self._stop)
        if self._stop.is_set():
            return
        # Also after a success: a file that cannot be written, or read, is not checked for without end.
        self._not_before = self._clock() + round(min(self._hours, _RETRY_HOURS) * HOUR_MS)
        told(f"check for drift {'done' if code == 0 else f'failed with {code}'}, {format_ms(self._clock())} UTC")
