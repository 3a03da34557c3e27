"""Retraining as a job of the service: the schedule is followed in a thread, each run is a process of its own."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from quorate.core.errors import BundleError, SettingsError
from quorate.core.settings import Settings
from quorate.lifecycle.retrain import RetrainScheduler
from quorate.serving.champion import Champion

if TYPE_CHECKING:
    from quorate.workflows.inputs.market_data import Data

_log = logging.getLogger(__name__)


class RetrainJob:
    """Follows the schedule as long as the service runs.

    Args:
        scheduler: of the served folder of bundles. The champion that it promotes is followed as any other.
    """

    def __init__(self, scheduler: RetrainScheduler) -> None:
        self._scheduler = scheduler
        self._thread = ThreadPoolExecutor(1, "quorate-retrain")

    async def run(self) -> None:
        """Follow the schedule until the service stops; a run at work is then ended, and continues at the next start."""
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


def retrain_job(champion: Champion, data: Data | None, exchange: str | None, settings: Settings) -> RetrainJob | None:
    """The job of a service; None unless `serve.retrain` is set.

    Args:
        champion: of the service.
        data: its stored candles; None for live ones.
        exchange: of its live candles, which are downloaded into the folder of the setting `retrain.data`.
        settings: of the service.

    Raises:
        BundleError: a service of one bundle, which is never replaced.
        SettingsError: no folder of candles, or a schedule that cannot be read.
        MissingExtraError: cronsim is not installed.
    """
    if not settings.serve.retrain:
        return None
    if champion.store is None:
        raise BundleError(
            "retrain as a job of the service",
            found=f"a service of {champion.path}, which is not a folder of bundles",
            expected="a folder of bundles, as `quorate train --out` writes it",
        )
    folder = data if isinstance(data, str | Path) else settings.retrain.data
    if not folder:
        raise SettingsError(
            "retrain as a job of the service",
            found="candles that are in no folder",
            expected="a folder of candles in the setting retrain.data",
            remedy="Of an exchange, the newest candles are downloaded into it.",
        )
    return RetrainJob(RetrainScheduler(champion.store.folder, folder, exchange=exchange, settings=settings))
