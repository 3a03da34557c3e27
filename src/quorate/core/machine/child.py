"""A job in a process of its own, which ends with the memory and the libraries that it needed."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from typing import Any

# The niceness of a child: what the parent answers comes first.
_NICENESS = 10

# Between two looks at the child, s, and how long it has to end when it is asked to.
_PAUSE_S, _PATIENCE_S = 0.2, 5.0

_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from importlib import import_module; "
    "sys.exit(import_module(sys.argv[2]).main(json.loads(sys.argv[3])))"
)


def run_child(module: str, request: dict[str, Any], stop: threading.Event) -> int:
    """Call `main(request)` of a module in a new interpreter, which reads its settings as this one has.

    Args:
        module: full name.
        request: JSON values.
        stop: when it is set, the child is ended.

    Returns:
        The exit code; negative for the signal that ended it.
    """
    command = [sys.executable, "-c", _PROGRAM, json.dumps(sys.path), module, json.dumps(request)]
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


def begin_child() -> None:
    """Lower the priority of this process, and log to its standard error."""
    os.nice(_NICENESS)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
