"""Tasks on a cluster: jobs whose worker was killed run again, and a job that kills its workers is named.

joblib has backends for both clusters, and serves neither need: it sends a batch of calls and raises the first error
of one, so that what else was finished is lost; a killed worker is an error of the whole call; and a task cannot report
before it ends. So the futures of `dask.distributed` and the tasks of Ray are used directly, behind one protocol.
"""

from __future__ import annotations

import logging
import pickle
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from quorate.core.errors import QuorateError, WorkerError
from quorate.core.machine.worker import RESULT, Report

_log = logging.getLogger(__name__)

_FEWER = "Where it needs more memory than a worker has, use larger workers or fewer of them (setting engine.workers)."


@dataclass(frozen=True, slots=True)
class EndedJob:
    """A job that ended, one way or another.

    Attributes:
        number: as it was submitted.
        result: pickled, as `do_job` returns it; None where there is none.
        deaths: how many workers were killed while it ran.
        reason: what the engine says about it.
    """

    number: int
    result: bytes | None = None
    deaths: int = 0
    reason: str = ""


class Cluster(Protocol):
    """Workers that do jobs."""

    name: str
    """Of the engine."""

    def limit(self) -> int:
        """Jobs at once, at least 1."""

    def submit(self, number: int, job: bytes) -> None:
        """Begin a job: a pickled key and what it is given."""

    def wait(self, report: Callable[[bytes], None]) -> list[EndedJob]:
        """Wait for a moment, pass on reports, and return the jobs that ended.

        Raises:
            WorkerError: the cluster is gone, or has had no worker for too long.
        """

    def close(self) -> None:
        """Give up what is running; end the cluster if it was started for this run."""


@dataclass(slots=True)
class _Job:
    key: Any
    content: bytes
    deaths: int = 0


class ClusterTasks:
    """Runs tasks on a cluster.

    Args:
        cluster: its workers.
        retries: times that a job runs again whose worker was killed.
    """

    def __init__(self, cluster: Cluster, retries: int) -> None:
        self._cluster, self._retries, self._numbers = cluster, retries, 0

    def run(self, task: Callable[[], tuple[Any, Any] | None], report: Report) -> Iterator[tuple[Any, Any]]:
        """Run tasks as `run_next_tasks` does. A task that fails ends the run when all others have been done.

        Raises:
            WorkerError: a job killed its workers, even alone; or the cluster is gone.
            Exception: what a task raised; a `QuorateError` names the task.
        """
        running: dict[int, _Job] = {}
        # Jobs whose workers were killed too often, beside others: each runs once more with no other job on the
        # cluster, so that none is blamed for what another one did to the memory of their machine.
        aside: deque[_Job] = deque()
        alone, failures = False, list[tuple[Any, Exception]]()

        def told(content: bytes) -> None:
            report(*pickle.loads(content))  # noqa: S301 - of this program

        while True:
            while not alone and len(running) < self._cluster.limit() and (following := task()) is not None:
                self._submit(running, _Job(following[0], pickle.dumps(following)))
            if not running and aside:
                self._submit(running, aside.popleft())
                alone = True
            if not running:
                break
            for ended in self._cluster.wait(told):
                job, was_alone = running.pop(ended.number), alone or self._cluster.limit() == 1
                alone = False
                if ended.result is not None:
                    kind, content = pickle.loads(ended.result)  # noqa: S301 - of this program
                    if kind == RESULT:
                        yield job.key, content
                    else:
                        failures.append(self._failed(job, self._failure(job, content)))
                elif not ended.deaths:
                    failures.append(self._failed(job, self._refusal(job, ended.reason)))
                else:
                    job.deaths += ended.deaths
                    _log.warning("%s: its worker was killed on %s (%s)", job.key, self._cluster.name, ended.reason)
                    if job.deaths <= self._retries:
                        self._submit(running, job)
                    elif was_alone:
                        failures.append(self._failed(job, self._poison(job, ended.reason)))
                    else:
                        aside.append(job)
        if failures:
            (_, first), *others = failures
            if others:
                first.add_note(f"Jobs that failed too: {', '.join(str(key) for key, _ in others)}.")
            raise first

    def end(self) -> None:
        """Give up what is running."""
        self._cluster.close()

    def _submit(self, running: dict[int, _Job], job: _Job) -> None:
        self._numbers += 1
        running[self._numbers] = job
        self._cluster.submit(self._numbers, job.content)

    def _failed(self, job: _Job, error: Exception) -> tuple[Any, Exception]:
        _log.warning("%s failed on %s; the other jobs go on", job.key, self._cluster.name)
        return job.key, error

    def _failure(self, job: _Job, error: Exception) -> Exception:
        """The error that a job raised, with the job's name."""
        where = f"job {job.key} on {self._cluster.name}"
        if not isinstance(error, QuorateError):
            error.add_note(f"Raised by {where}.")
            return error
        parts = {"found": error.found, "expected": error.expected, "remedy": error.remedy}
        named = type(error)(f"{error.attempted} ({where})", **parts)
        named.__cause__ = error
        return named

    def _refusal(self, job: _Job, reason: str) -> WorkerError:
        return WorkerError(
            f"run {job.key} on {self._cluster.name}",
            found=reason,
            expected="a worker that can load the job",
            remedy="Install the same release of Quorate, and packages and files of your own models, on every machine "
            "of the cluster.",
        )

    def _poison(self, job: _Job, reason: str) -> WorkerError:
        return WorkerError(
            f"run {job.key} on {self._cluster.name}",
            found=f"that it ended {job.deaths} workers, the last one with no other job beside it ({reason})",
            expected="a result",
            remedy=_FEWER,
        )
