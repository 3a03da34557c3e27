"""Running tasks in waiting threads, with one deadline for all of them.

Waking a thread takes longer than most members run, so one thread runs all tasks in turn. If that takes unusually long,
one of the tasks is slow, and further threads run those behind it concurrently.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

T = TypeVar("T")

# Share of the deadline after which pending tasks get threads of their own.
_SLOW_SHARE = 0.1


class DeadlinePool:
    """Runs named tasks with a deadline, and keeps track of names whose earlier task is still running."""

    def __init__(self) -> None:
        self._overdue: Counter[str] = Counter()
        self._finished = threading.Condition()

    def run(
        self, tasks: Sequence[tuple[str, Callable[[], T]]], deadline_s: float, threads: int = 1
    ) -> list[T | BaseException | None]:
        """The result of each task, the exception that it raised, or None if it missed the deadline.

        A task does not start while an earlier task of the same name, which missed its deadline, is still running.

        Args:
            tasks: name and function of each.
            deadline_s: for all of them together, seconds.
            threads: number of threads that share the tasks from the start.
        """
        if not tasks:
            return []
        began = time.monotonic()
        batch = _Batch(tasks, self, began + deadline_s)
        for _ in range(min(threads, len(tasks))):
            _idle_worker().batches.put(batch)
        if not batch.done.acquire(timeout=deadline_s * _SLOW_SHARE):
            for _ in range(len(batch.pending)):
                _idle_worker().batches.put(batch)
            batch.done.acquire(timeout=max(0.0, began + deadline_s - time.monotonic()))
        return batch.close()

    def mark_overdue(self, name: str) -> None:
        """Record that a task of this name missed its deadline and is still running."""
        with self._finished:
            self._overdue[name] += 1

    def mark_finished(self, name: str) -> None:
        """Record that an overdue task of this name has finished."""
        with self._finished:
            self._overdue[name] -= 1
            self._finished.notify_all()

    def wait_until_free(self, name: str, until: float) -> bool:
        """Whether no overdue task of this name is running, waiting for that until the given time."""
        if not self._overdue[name]:
            return True
        with self._finished:
            return self._finished.wait_for(lambda: not self._overdue[name], max(0.0, until - time.monotonic()))


class _Batch(Generic[T]):
    """The tasks of one call, run by any number of threads."""

    def __init__(self, tasks: Sequence[tuple[str, Callable[[], T]]], pool: DeadlinePool, until: float) -> None:
        self.pending = deque(enumerate(tasks))
        self.done = threading.Lock()
        self.done.acquire()
        self._pool, self._until = pool, until
        self._results: list[T | BaseException | None] = [None] * len(tasks)
        self._missing = len(tasks)
        self._running: list[str] = []
        self._closed = False
        self._lock = threading.Lock()

    def run(self) -> bool:
        """Run pending tasks until none is left; True if the last missing result came from this thread."""
        while self.pending:
            try:
                place, (name, task) = self.pending.popleft()
            except IndexError:  # another thread took it
                return False
            if not self._pool.wait_until_free(name, self._until):
                continue
            with self._lock:
                if self._closed:
                    return False
                self._running.append(name)
            result: T | BaseException
            try:
                result = task()
            except BaseException as error:  # noqa: BLE001 - handed to the caller, as a future does
                result = error
            with self._lock:
                if not self._closed:
                    self._running.remove(name)
                    self._results[place] = result
                    self._missing -= 1
                    if not self._missing:
                        return True
                    continue
            self._pool.mark_finished(name)
        return False

    def close(self) -> list[T | BaseException | None]:
        """The results so far; later ones are dropped, and tasks still running are marked overdue."""
        with self._lock:
            self._closed = True
            self.pending.clear()
            for name in self._running:
                self._pool.mark_overdue(name)
        return self._results


class _Worker(threading.Thread):
    """A thread that runs one batch after another."""

    def __init__(self) -> None:
        super().__init__(name="quorate-members", daemon=True)  # a task that hangs must not keep the process alive
        self.batches: SimpleQueue[_Batch[Any]] = SimpleQueue()

    def run(self) -> None:
        while True:
            batch = self.batches.get()
            complete = batch.run()
            _IDLE.append(self)  # before the release: the caller may run the next batch at once
            if complete:
                batch.done.release()


# Idle workers of the process. The last to finish is used first: its data is still in the caches.
_IDLE: deque[_Worker] = deque()

if sys.platform != "win32":  # Windows has no fork
    os.register_at_fork(after_in_child=_IDLE.clear)


def _idle_worker() -> _Worker:
    try:
        return _IDLE.pop()
    except IndexError:
        worker = _Worker()
        worker.start()
        return worker
