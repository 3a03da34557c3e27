"""Retrainings that end by SIGKILL, or where files may not grow.

    python tests/stubs/killed_retraining.py MARKET

The process imports everything once and trains nothing itself; each run is a forked child. It reads a request a line,
and answers each with the exit code of the child, negative for the signal that ended it.

A request is a JSON object: "bundles", "now" (ms), "scheduled", and one of
    "rename": number         killed before that rename of a file or folder
    "stage": name            killed before the record of that stage is written
    "progress": text         killed when progress tells of something that begins with it
    "bytes": limit           no file may become longer
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def main() -> None:
    import lightgbm  # noqa: F401 - before the fork, for the children
    import onnxmltools  # noqa: F401
    import xgboost  # noqa: F401

    import quorate.ensemble.inference.loading
    import quorate.ensemble.training.train_ensemble
    import quorate.lifecycle.retrain.retrain_champion  # noqa: F401
    from stubs.retraining import MARKETS

    panel = MARKETS[sys.argv[1]]()
    tell("ready")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(run(json.loads(line), panel))
        _, status = os.waitpid(child, 0)
        tell(os.waitstatus_to_exitcode(status))


def tell(answer: object) -> None:
    sys.stdout.write(f"{answer}\n")
    sys.stdout.flush()


def run(request: dict[str, Any], panel: dict[str, Any]) -> int:
    from quorate.core.errors import QuorateError
    from quorate.lifecycle.retrain.retrain_champion import retrain
    from stubs.retraining import SETTINGS, Clock

    if "bytes" in request:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["bytes"], request["bytes"]))
    arm(request)

    def progress(title: str, _done: int, _total: int) -> None:
        if "progress" in request and title.startswith(request["progress"]):
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        retrain(
            request["bundles"],
            panel,
            settings=SETTINGS,
            clock=Clock(request["now"]),
            progress=progress,
            scheduled=request.get("scheduled", False),
        )
    except QuorateError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def arm(request: dict[str, Any]) -> None:
    """Kill this process before a rename."""
    renames = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal renames
        if event != "os.rename":
            return
        renames += 1
        source, target = map(str, arguments[:2])
        of_stage = "stage" in request and Path(target).parent.name == "retraining"
        if request.get("rename") == renames or (
            of_stage and f'"stage": "{request["stage"]}"' in Path(source).read_text()
        ):
            os.kill(os.getpid(), signal.SIGKILL)

    if {"rename", "stage"} & request.keys():
        sys.addaudithook(hook)


class KilledRetraining:
    """The process, for a test: `run` returns an exit code."""

    def __init__(self, market: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, market], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def run(self, bundles: Path, now: int, **how: Any) -> int:
        """Retrain in a child that ends as it is told to."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"bundles": str(bundles), "now": now, **how}) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


if __name__ == "__main__":
    main()
