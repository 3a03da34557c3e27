"""A run of retraining in a process of its own.

A process that answers requests, or that waits for weeks, never imports a training library; the memory of a training
ends with its process, and one that the system ends for its memory ends alone.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from quorate.core.errors import QuorateError

# The niceness of the child: requests come first.
_NICENESS = 10

# Between two looks at the child, s, and how long it has to end when it is asked to.
_PAUSE_S, _PATIENCE_S = 0.2, 5.0

_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from quorate.lifecycle.retrain.child import main; sys.exit(main(json.loads(sys.argv[2])))"
)

_log = logging.getLogger(__name__)


def run_in_child(bundles: Path, data: Path, exchange: str | None, stop: threading.Event) -> int:
    """Do the run of the schedule that is due in a new interpreter, which reads its settings as this one has.

    Args:
        bundles: folder of bundles.
        data: folder of candles.
        exchange: to download the newest candles from; None for those that are there.
        stop: when it is set, the child is ended; its run continues with the next one.

    Returns:
        The exit code; negative for the signal that ended it.
    """
    request = {"bundles": str(bundles), "data": str(data), "exchange": exchange}
    command = [sys.executable, "-c", _PROGRAM, json.dumps(sys.path), json.dumps(request)]
    with subprocess.Popen(  # noqa: S603 - this interpreter, with a program of this file
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        process_group=0,  # Ctrl-C is for the one that waits
    ) as child:
        while child.poll() is None:
            if stop.wait(_PAUSE_S):
                child.terminate()
                try:
                    child.wait(_PATIENCE_S)
                except subprocess.TimeoutExpired:
                    child.kill()
    return child.returncode


def main(request: dict[str, Any]) -> int:
    """Do what a parent asked for; the exit code."""
    from quorate.lifecycle.retrain.retrain_champion import retrain

    os.nice(_NICENESS)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        result = retrain(request["bundles"], request["data"], exchange=request["exchange"], scheduled=True)
    except QuorateError as error:
        _log.error("retraining failed, the champion stays: %s", error)
        return 1
    for line in result.lines:
        _log.info("%s", line)
    return 0
