"""Jobs of the service on a schedule: retraining, and checks for drift.

A schedule is followed in a thread; what it starts is a process of its own, so that neither the time of an answer nor
the memory of the service depends on it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from quorate.core.errors import BundleError, SettingsError
from quorate.core.settings import Settings
from quorate.lifecycle.drift import DriftScheduler
from quorate.lifecycle.retrain import RetrainScheduler
from quorate.serving.champion import Champion

if TYPE_CHECKING:
    from quorate.workflows.inputs.market_data import Data

_log = logging.getLogger(__name__)


class Scheduler(Protocol):
    """Does what is due until it is stopped, in the thread that calls `follow`."""

    def follow(self, told: Callable[[str], None]) -> None:
        """Do what is due until `stop`; `told` is called with lines for the log."""

    def stop(self) -> None:
        """End; a process at work is ended."""


class ScheduledJob:
    """Follows a schedule as long as the service runs.

    Args:
        name: of the thread.
        scheduler: of the bundle or folder that is served.
    """

    def __init__(self, name: str, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._thread = ThreadPoolExecutor(1, f"quorate-{name}")

    async def run(self) -> None:
        """Follow the schedule until the service stops; what is at work is then ended, and due at the next start."""
        following = asyncio.get_running_loop().run_in_executor(
            self._thread, self._scheduler.follow, lambda line: _log.info("%s", line)
        )
        try:
            await asyncio.shield(following)
        except asyncio.CancelledError:
            self._scheduler.stop()
            await following
            raise
        finally:
            self._thread.shutdown(wait=False)


def scheduled_jobs(
    champion: Champion, data: Data | None, exchange: str | None, settings: Settings
) -> list[ScheduledJob]:
    """The jobs of a service by `serve.retrain` and `serve.drift_hours`.

    Args:
        champion: of the service.
        data: its stored candles; None for live ones.
        exchange: of its live candles, which are downloaded into the folder of the setting `retrain.data`.
        settings: of the service.

    Raises:
        BundleError: retraining in a service of one bundle, which is never replaced.
        SettingsError: no folder of candles, or a schedule that cannot be read.
        MissingExtraError: cronsim is not installed.
    """
    jobs = []
    if settings.serve.retrain:
        if champion.store is None:
            raise BundleError(
                "retrain as a job of the service",
                found=f"a service of {champion.path}, which is not a folder of bundles",
                expected="a folder of bundles, as `quorate train --out` writes it",
            )
        folder = _folder("retrain as a job of the service", data, settings)
        retraining = RetrainScheduler(champion.store.folder, folder, exchange=exchange, settings=settings)
        jobs.append(ScheduledJob("retrain", retraining))
    if settings.serve.drift_hours:
        folder = _folder("check for drift as a job of the service", data, settings)

        def in_use() -> tuple[Path, str]:
            newest = champion.predictor.newest
            return newest.folder or champion.path, newest.id

        watching = DriftScheduler(in_use, folder, exchange=exchange, settings=settings)
        jobs.append(ScheduledJob("drift", watching))
    return jobs


def _folder(attempted: str, data: Data | None, settings: Settings) -> Path:
    folder = data if isinstance(data, str | Path) else settings.retrain.data
    if not folder:
        raise SettingsError(
            attempted,
            found="candles that are in no folder",
            expected="a folder of candles in the setting retrain.data",
            remedy="Of an exchange, the newest candles are downloaded into it.",
        )
    return Path(folder)
