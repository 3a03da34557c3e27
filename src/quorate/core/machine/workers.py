"""Tasks in processes of their own, which share the memory of large arrays.

The processes are new interpreters, not forks: a fork of a process whose libraries have threads, as after a training,
waits forever for threads that it does not have. What does a task is pickled once, its arrays into a file without a name
that all processes map: no process has a copy. Only a task's key and result are sent.

Where there can be no such process, or for one worker, tasks run one after another in this process, with the same
results.
"""

from __future__ import annotations

import copyreg
import io
import json
import multiprocessing
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from multiprocessing.connection import Connection, wait
from types import MappingProxyType
from typing import Any, TypeVar

from quorate.core.errors import WorkerError
from quorate.core.machine.worker import ALIGNMENT, ERROR, REPORT, Report, Work

Key = TypeVar("Key", bound=Hashable)

# Set in a worker, which has no workers of its own.
_INSIDE = "QUORATE_WORKER"

_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from quorate.core.machine.worker import serve; serve(int(sys.argv[2]), int(sys.argv[3]))"
)


def can_share() -> bool:
    """Whether this process can have workers: not on Windows, nor where the interpreter is part of another program."""
    return os.name == "posix" and bool(sys.executable) and _INSIDE not in os.environ


def run_tasks(
    work: Work,
    keys: Sequence[Key],
    workers: int,
    *,
    report: Report,
    after: Mapping[Key, Key] | None = None,
    given: Callable[[Key], Any] = lambda _: None,
) -> Iterator[tuple[Key, Any]]:
    """Run a task for each key, and yield each result as soon as it is there.

    Args:
        work: does a task: called with its key, what it is given and a callback for reports. Where it cannot be pickled,
            such as a function inside another, tasks run in this process.
        keys: in the order in which tasks begin.
        workers: processes at once; 1 to run the tasks in this process, in order.
        report: called here with the arguments that a task reports.
        after: task -> the task of an earlier key whose result must have been taken before it begins.
        given: makes what a task is given, just before it begins. It is pickled.

    Raises:
        WorkerError: a process ended in the middle of a task, such as one that was killed for its memory.
        Exception: whatever a task raised; the other tasks are ended.
    """
    waiting, taken, earlier = list(keys), set[Key](), after or {}

    def task() -> tuple[Key, Any] | None:
        key = next((key for key in waiting if key not in earlier or earlier[key] in taken), None)
        if key is None:
            return None
        waiting.remove(key)
        return key, given(key)

    for key, result in run_next_tasks(work, task, min(workers, len(keys)), report=report):
        yield key, result
        taken.add(key)


def run_next_tasks(
    work: Work, task: Callable[[], tuple[Key, Any] | None], workers: int, *, report: Report
) -> Iterator[tuple[Key, Any]]:
    """Run tasks that become known as others end, and yield each result as soon as it is there.

    Args:
        work: as of `run_tasks`.
        task: gives the next key and what its task is given, whenever a process is free; None where there is none until
            another result has been taken. With nothing at work, None is the end.
        workers: as of `run_tasks`.
        report: as of `run_tasks`.

    Raises:
        WorkerError, Exception: as `run_tasks`.
    """
    pool = _Pool.of(work, workers) if workers > 1 and can_share() else None
    if pool is None:
        while (following := task()) is not None:
            yield following[0], work(*following, report)
        return
    try:
        yield from pool.run(task, report)
    finally:
        pool.end()


def _read_only(content: dict[Any, Any]) -> Mapping[Any, Any]:
    return MappingProxyType(content)


class _Pickler(pickle.Pickler):
    """Pickles read-only mappings too, which settings hold."""

    def __init__(self, stream: io.BytesIO, keep: Callable[[pickle.PickleBuffer], None]) -> None:
        super().__init__(stream, 5, buffer_callback=keep)
        self.dispatch_table = {**copyreg.dispatch_table, MappingProxyType: lambda made: (_read_only, (dict(made),))}


class _Pool:
    """Processes that wait for keys."""

    def __init__(self, pickled: bytes, arrays: Sequence[Any], workers: int) -> None:
        self._processes: dict[Connection, subprocess.Popen[bytes]] = {}
        with tempfile.TemporaryFile() as shared:
            places = []
            for array in arrays:
                shared.seek(-(-shared.tell() // ALIGNMENT) * ALIGNMENT)
                places.append((shared.tell(), array.nbytes))
                shared.write(array)
            shared.flush()
            for _ in range(workers):
                here, there = multiprocessing.Pipe()
                command = [
                    sys.executable,
                    "-c",
                    _PROGRAM,
                    json.dumps(sys.path),
                    str(there.fileno()),
                    str(shared.fileno()),
                ]
                self._processes[here] = subprocess.Popen(  # noqa: S603 - this interpreter, with a program of this file
                    command,
                    pass_fds=(there.fileno(), shared.fileno()),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env={**os.environ, _INSIDE: "1"},
                )
                there.close()
            for connection in self._processes:
                self._send(connection, (pickled, places), "begin")

    @classmethod
    def of(cls, work: Work, workers: int) -> _Pool | None:
        """Processes that can do the work; None if it cannot be pickled."""
        buffers: list[pickle.PickleBuffer] = []
        stream = io.BytesIO()
        try:
            _Pickler(stream, buffers.append).dump(work)
        except (pickle.PicklingError, AttributeError, TypeError):
            return None
        return cls(stream.getvalue(), [buffer.raw() for buffer in buffers], workers)

    def run(self, task: Callable[[], tuple[Any, Any] | None], report: Report) -> Iterator[tuple[Any, Any]]:
        running: dict[Connection, Any] = {}
        while True:
            for connection in self._processes.keys() - running.keys():
                following = task()
                if following is None:
                    break
                self._send(connection, following, following[0])
                running[connection] = following[0]
            if not running:
                return
            for ready in wait(list(running)):
                connection = next(each for each in running if each is ready)
                kind, content = self._receive(connection, running[connection])
                if kind == REPORT:
                    report(*content)
                elif kind == ERROR:
                    raise content
                else:
                    yield running.pop(connection), content

    def end(self) -> None:
        """End the processes, whatever they are doing."""
        for connection, process in self._processes.items():
            connection.close()
            process.kill()
        for process in self._processes.values():
            process.wait()

    def _send(self, connection: Connection, content: Any, key: object) -> None:
        try:
            connection.send(content)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise self._ended(connection, key) from error

    def _receive(self, connection: Connection, key: object) -> Any:
        try:
            return connection.recv()
        except (EOFError, ConnectionResetError) as error:
            raise self._ended(connection, key) from error

    def _ended(self, connection: Connection, key: object) -> WorkerError:
        code = self._processes[connection].wait()
        return WorkerError(
            f"run {key} in a process of its own",
            found=f"it ended by signal {-code}" if code < 0 else f"it ended with {code}",
            expected="a result",
            remedy="Signal 9 is how the system ends programs that need more memory than there is: "
            "lower the setting train.workers.",
        )
