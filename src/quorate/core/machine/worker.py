"""A process that does tasks for the one that started it, see `workers`."""

from __future__ import annotations

import mmap
import os
import pickle
import signal
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from quorate.core.errors import WorkerError

#: Called in a task with what the process that waits for it is told, such as a stage, units done and units in all.
Report = Callable[..., None]

#: Does a task: called with its key, what it is given and the callback for reports.
Work = Callable[[Any, Any, Report], Any]

#: Arrays begin at multiples of this in the shared file, bytes.
ALIGNMENT = 64

RESULT, REPORT, ERROR = "result", "report", "error"

#: Environment variable that is set in a worker, which has no workers of its own.
INSIDE = "QUORATE_WORKER"

# At most so often does a task report, s; its last report of a stage always comes through.
_EVERY_S = 0.1


def serve(descriptor: int, shared: int) -> None:
    """Do tasks until the process that started this one closes its end.

    Args:
        descriptor: of the connection to it.
        shared: of the file with the arrays.
    """
    # Ctrl-C goes to all processes of a terminal; the one that started this one ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection = Connection(descriptor)
    try:
        work = _load(connection, shared)
        while True:
            key, given = connection.recv()
            try:
                report = throttled(lambda content: connection.send((REPORT, content)), _EVERY_S)
                answer = (RESULT, work(key, given, report))
            except Exception as error:  # noqa: BLE001 - it is raised in the process that waits for the result
                answer = (ERROR, portable(error))
            connection.send(answer)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        os._exit(0)  # nobody waits for what is still running


def _load(connection: Connection, shared: int) -> Work:
    """What does the tasks, with its arrays in the memory that all processes share."""
    pickled, places = connection.recv()
    view = memoryview(mmap.mmap(shared, 0, access=mmap.ACCESS_READ)) if places else memoryview(b"")
    os.close(shared)
    work: Work = pickle.loads(pickled, buffers=[view[at : at + size] for at, size in places])  # noqa: S301 - of this program
    return work


def throttled(send: Callable[[tuple[Any, ...]], None], every_s: float) -> Report:
    """A report that is sent at most so often; the last one of a stage, whose done is its total, always is."""
    last = 0.0

    def report(*content: Any) -> None:
        nonlocal last
        now = time.monotonic()
        if content[-2:-1] == content[-1:] or now - last >= every_s:
            last = now
            send(content)

    return report


def portable(error: Exception) -> Exception:
    """The error itself where it survives pickling, with the place where it was raised; else its traceback as a text."""
    text = "".join(traceback.format_exception(error))
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - its own bytes
    except (pickle.PicklingError, TypeError, AttributeError):
        return WorkerError("run a task in a process of its own", found=text, expected="no error")
    return error
