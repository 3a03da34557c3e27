"""Tasks in processes of their own, which share the memory of large arrays, or on a cluster.

The processes are new interpreters, not forks: a fork of a process whose libraries have threads, as after a training,
waits forever for threads that it does not have. What does a task is pickled once, its arrays into a file without a name
that all processes map: no process has a copy. Only a task's key and result are sent.

Where there can be no such process, or for one worker, tasks run one after another in this process, with the same
results. The setting `engine.name` sends them to a cluster instead, see `engines`.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Protocol, TypeVar

from quorate.core.errors import WorkerError
from quorate.core.machine.engines import KeptResults, Payload, open_cluster
from quorate.core.machine.worker import ALIGNMENT, ERROR, INSIDE, REPORT, Report, Work
from quorate.core.sections.engine import EngineSettings

_log = logging.getLogger(__name__)

Key = TypeVar("Key", bound=Hashable)

#: Gives the next key and what its task is given; None where there is none now.
Following = Callable[[], tuple[Any, Any] | None]

#: Processes of this machine.
LOCAL = EngineSettings()

_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from quorate.core.machine.worker import serve; serve(int(sys.argv[2]), int(sys.argv[3]))"
)


def can_share() -> bool:
    """Whether this process can have workers: not on Windows, nor where the interpreter is part of another program."""
    return os.name == "posix" and bool(sys.executable) and INSIDE not in os.environ


def run_tasks(
    work: Work,
    keys: Sequence[Key],
    workers: int,
    *,
    report: Report,
    after: Mapping[Key, Key] | None = None,
    given: Callable[[Key], Any] = lambda _: None,
    engine: EngineSettings = LOCAL,
    about: Any = None,
    resumed: Callable[[Key], None] = lambda _: None,
    restarts: int = 0,
) -> Iterator[tuple[Key, Any]]:
    """Run a task for each key, and yield each result as soon as it is there.

    Args:
        work: does a task: called with its key, what it is given and a callback for reports. Where it cannot be pickled,
            such as a function inside another, tasks run in this process; a cluster refuses it.
        keys: in the order in which tasks begin.
        workers: processes at once; 1 to run the tasks in this process, in order. Of a cluster: processes of one that is
            started here; one with an address has its own.
        report: called here with the arguments that a task reports.
        after: task -> the task of an earlier key whose result must have been taken before it begins.
        given: makes what a task is given, just before it begins. It is pickled.
        engine: where tasks run, and the folder that keeps the results of finished ones.
        about: what results depend on beside the work, such as the source of a user's own models; names kept results.
        resumed: called with each key whose result was kept by an earlier run, before it is yielded.
        restarts: how often a task begins again in a new process of this machine after its process ended in the middle
            of it; each is logged. What it reported is reported again.

    Raises:
        WorkerError: a process ended in the middle of a task, such as one that was killed for its memory, and the task
            may not begin again. On a cluster it runs again `engine.retries` times.
        Exception: whatever a task raised; the other tasks are ended, and on a cluster first done.
        MissingExtraError: the library of the cluster is not installed.
        DataError: the folder of `engine` cannot be written.
    """
    waiting, taken, earlier = list(keys), set[Key](), after or {}

    def task() -> tuple[Key, Any] | None:
        key = next((key for key in waiting if key not in earlier or earlier[key] in taken), None)
        if key is None:
            return None
        waiting.remove(key)
        return key, given(key)

    several = min(workers, len(keys))
    for key, result in run_next_tasks(
        work, task, several, report=report, engine=engine, about=about, resumed=resumed, restarts=restarts
    ):
        yield key, result
        taken.add(key)


def run_next_tasks(
    work: Work,
    task: Callable[[], tuple[Key, Any] | None],
    workers: int,
    *,
    report: Report,
    engine: EngineSettings = LOCAL,
    about: Any = None,
    resumed: Callable[[Key], None] = lambda _: None,
    restarts: int = 0,
) -> Iterator[tuple[Key, Any]]:
    """Run tasks that become known as others end, and yield each result as soon as it is there.

    Args:
        work: as of `run_tasks`.
        task: gives the next key and what its task is given, whenever a process is free; None where there is none until
            another result has been taken. With nothing at work, None is the end.
        workers: as of `run_tasks`.
        report: as of `run_tasks`.
        engine: as of `run_tasks`.
        about: as of `run_tasks`.
        resumed: as of `run_tasks`.
        restarts: as of `run_tasks`.

    Raises:
        WorkerError, Exception: as `run_tasks`.
    """
    inside = INSIDE in os.environ  # a task of a worker has neither workers nor a cluster
    if inside or not engine.folder:
        runner = _runner(work, workers, LOCAL if inside else engine, restarts)
        try:
            yield from runner.run(task, report)
        finally:
            runner.end()
        return
    yield from _Resumed(KeptResults(Path(engine.folder).expanduser(), work, about), task, resumed).run(
        lambda: _runner(work, workers, engine, restarts), report
    )


class _Runner(Protocol):
    """Runs tasks; may be called again."""

    def run(self, task: Following, report: Report) -> Iterator[tuple[Any, Any]]: ...

    def end(self) -> None: ...


def _runner(work: Work, workers: int, engine: EngineSettings, restarts: int) -> _Runner:
    if engine.name != "local":
        return open_cluster(work, engine, workers)
    pool = _Pool.of(work, workers, restarts) if workers > 1 and can_share() else None
    return _Here(work) if pool is None else pool


class _Here:
    """Runs tasks one after another in this process."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def run(self, task: Following, report: Report) -> Iterator[tuple[Any, Any]]:
        while (following := task()) is not None:
            yield following[0], self._work(*following, report)

    def end(self) -> None:
        """Nothing is left."""


class _Resumed:
    """Runs the tasks whose results are not kept, and keeps theirs.

    Args:
        kept: results of finished tasks.
        task: as of `run_next_tasks`.
        resumed: as of `run_next_tasks`.
    """

    def __init__(self, kept: KeptResults, task: Following, resumed: Callable[[Any], None]) -> None:
        self._kept, self._task, self._resumed = kept, task, resumed
        self._found: deque[tuple[Any, Any]] = deque()
        self._given: dict[Any, Any] = {}
        self._first: tuple[Any, Any] | None = None

    def run(self, runner: Callable[[], _Runner], report: Report) -> Iterator[tuple[Any, Any]]:
        """Yield the results of all tasks; processes and clusters are started for those that are not kept alone."""
        started: _Runner | None = None
        try:
            while True:
                self._first = self._next()
                if self._found:
                    yield from self._taken()
                    if self._first is None:
                        continue  # there may be tasks that waited for these results
                if self._first is None:
                    break
                started = started or runner()
                for key, result in started.run(self._following, report):
                    self._kept.write(key, self._given.pop(key), result)
                    yield key, result
                    yield from self._taken()
        finally:
            if started is not None:
                started.end()
        self._kept.remove()

    def _following(self) -> tuple[Any, Any] | None:
        first, self._first = self._first, None
        return first or self._next()

    def _next(self) -> tuple[Any, Any] | None:
        """The next task that has to run; results that are kept are put aside."""
        while (following := self._task()) is not None:
            kept = self._kept.read(*following)
            if kept is None:
                self._given[following[0]] = following[1]
                return following
            self._found.append((following[0], kept[0]))
        return None

    def _taken(self) -> Iterator[tuple[Any, Any]]:
        while self._found:
            key, result = self._found.popleft()
            self._resumed(key)
            yield key, result


class _Pool:
    """Processes that wait for keys."""

    def __init__(self, pickled: bytes, arrays: Sequence[Any], workers: int, restarts: int) -> None:
        self._processes: dict[Connection, subprocess.Popen[bytes]] = {}
        self._restarts = restarts
        # Open as long as the pool: a process that is started later maps it too.
        self._shared = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `end`
        places = []
        for array in arrays:
            self._shared.seek(-(-self._shared.tell() // ALIGNMENT) * ALIGNMENT)
            places.append((self._shared.tell(), array.nbytes))
            self._shared.write(array)
        self._shared.flush()
        self._work = pickled, places
        # All are started before the first is sent its work.
        for connection in [self._start() for _ in range(workers)]:
            self._send(connection, self._work, "begin")

    @classmethod
    def of(cls, work: Work, workers: int, restarts: int) -> _Pool | None:
        """Processes that can do the work; None if it cannot be pickled."""
        payload = Payload.of(work)
        return None if payload is None else cls(payload.pickled, payload.arrays, workers, restarts)

    def _start(self) -> Connection:
        """Start a process; the connection to it."""
        here, there = multiprocessing.Pipe()
        inherited = there.fileno(), self._shared.fileno()
        command = [sys.executable, "-c", _PROGRAM, json.dumps(sys.path), *map(str, inherited)]
        self._processes[here] = subprocess.Popen(  # noqa: S603 - this interpreter, with a program of this file
            command,
            pass_fds=inherited,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={**os.environ, INSIDE: "1"},
        )
        there.close()
        return here

    def run(self, task: Following, report: Report) -> Iterator[tuple[Any, Any]]:
        running: dict[Connection, tuple[Any, Any]] = {}
        ended: Counter[Any] = Counter()
        while True:
            for connection in self._processes.keys() - running.keys():
                following = task()
                if following is None:
                    break
                self._send(connection, following, following[0])
                running[connection] = following
            if not running:
                return
            for ready in wait(list(running)):
                connection = next(each for each in running if each is ready)
                key = running[connection][0]
                try:
                    kind, content = self._receive(connection, key)
                except WorkerError as error:
                    ended[key] += 1
                    if ended[key] > self._restarts:
                        raise
                    _log.warning("%s It is begun again in a new process.", error)
                    again = self._replace(connection)
                    running[again] = running.pop(connection)
                    self._send(again, running[again], key)
                    continue
                if kind == REPORT:
                    report(*content)
                elif kind == ERROR:
                    raise content
                else:
                    del running[connection]
                    yield key, content

    def _replace(self, connection: Connection) -> Connection:
        """Start a process in place of one that has ended."""
        del self._processes[connection]
        connection.close()
        again = self._start()
        self._send(again, self._work, "begin")
        return again

    def end(self) -> None:
        """End the processes, whatever they are doing."""
        for connection, process in self._processes.items():
            connection.close()
            process.kill()
        for process in self._processes.values():
            process.wait()
        self._shared.close()

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
            remedy="Signal 9 is how the system ends programs that need more memory than there is: use fewer processes, "
            "for a training with the setting train.workers.",
        )
