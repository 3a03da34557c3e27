"""A run of retraining in a process of its own.

A process that answers requests, or that waits for weeks, never imports a training library; the memory of a training
ends with its process, and one that the system ends for its memory ends alone.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

from quorate.core.errors import QuorateError
from quorate.core.machine.child import begin_child, run_child

_log = logging.getLogger(__name__)


def run_in_child(bundles: Path, data: Path, exchange: str | None, stop: threading.Event) -> int:
    """Do the run of the schedule that is due.

    Args:
        bundles: folder of bundles.
        data: folder of candles.
        exchange: to download the newest candles from; None for those that are there.
        stop: when it is set, the child is ended; its run continues with the next one.

    Returns:
        The exit code; negative for the signal that ended it.
    """
    return run_child(__name__, {"bundles": str(bundles), "data": str(data), "exchange": exchange}, stop)


def main(request: dict[str, Any]) -> int:
    """Do what a parent asked for; the exit code."""
    from quorate.lifecycle.retrain.retrain_champion import retrain

    begin_child()
    try:
        result = retrain(request["bundles"], request["data"], exchange=request["exchange"], scheduled=True)
    except QuorateError as error:
        _log.error("retraining failed, the champion stays: %s", error)
        return 1
    for line in result.lines:
        _log.info("%s", line)
    return 0
